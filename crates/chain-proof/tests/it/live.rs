// SPDX-License-Identifier: Apache-2.0
//! A contract with many slots on a live anvil, and its real proofs.

use alloy::{
    network::TransactionBuilder,
    primitives::{Address, B256, Bytes, U256, keccak256},
    providers::{Provider, ProviderBuilder, ext::AnvilApi},
    rpc::types::TransactionRequest,
};
use subrosa_chain_proof::{HostAsserted, ProofError, verify_slot};
use subrosa_types::frame::{HeaderFrame, StorageProof};

use crate::anvil::Anvil;

/// Slots 0 to 149 of the contract hold their mirrored index; the rest is empty.
pub(crate) const SLOTS: u64 = 150;

/// What a genuine proof shows, and a second, unrelated one of the same chain.
pub(crate) struct Scene {
    pub(crate) proof: StorageProof,
    /// The same slot without ancestors, from a later block.
    pub(crate) later: StorageProof,
    pub(crate) account: Address,
    pub(crate) code_hash: B256,
    pub(crate) slot: B256,
    pub(crate) value: B256,
    /// Proof of another slot of the same contract.
    pub(crate) other_slot: Vec<Bytes>,
    /// Proof of another account.
    pub(crate) other_account: Vec<Bytes>,
    /// Proof of an empty slot, and the slot.
    pub(crate) absent: (Vec<Bytes>, B256),
    /// Proof of an account that does not exist, and its address.
    pub(crate) nobody: (Vec<Bytes>, Address),
}

/// Deploys the contract, mines past it, and fetches the proofs.
pub(crate) async fn scene() -> Scene {
    let anvil = Anvil::start(&["--accounts", "200"]);
    let provider = ProviderBuilder::new().connect_http(anvil.http().parse().unwrap());
    let sender = provider.get_accounts().await.unwrap()[0];
    let creation = TransactionRequest::default()
        .with_from(sender)
        .with_deploy_code(creation_code());
    let receipt = provider
        .send_transaction(creation)
        .await
        .unwrap()
        .get_receipt()
        .await
        .unwrap();
    assert!(receipt.status());
    let account = receipt.contract_address.unwrap();
    let number = receipt.block_number.unwrap();
    provider.anvil_mine(Some(5), None).await.unwrap();

    let slot = B256::with_last_byte(77);
    let absent = B256::from(U256::from(SLOTS + 1));
    let nobody = Address::repeat_byte(0xee);
    let prove = async |who: Address, slot: B256, number: u64| {
        let answer = provider
            .get_proof(who, vec![slot])
            .number(number)
            .await
            .unwrap();
        (answer.account_proof, answer.storage_proof[0].proof.clone())
    };
    let (account_proof, slot_proof) = prove(account, slot, number).await;
    let proof = StorageProof {
        header: HeaderFrame {
            trusted: header(&provider, number + 3).await,
            witness: Bytes::new(),
            ancestors: vec![
                header(&provider, number + 2).await,
                header(&provider, number + 1).await,
                header(&provider, number).await,
            ],
        },
        account_proof,
        slot_proof,
    };
    let (later_account, later_slot) = prove(account, slot, number + 4).await;
    let later = StorageProof {
        header: HeaderFrame {
            trusted: header(&provider, number + 4).await,
            ..HeaderFrame::default()
        },
        account_proof: later_account,
        slot_proof: later_slot,
    };
    Scene {
        proof,
        later,
        account,
        code_hash: keccak256(provider.get_code_at(account).await.unwrap()),
        slot,
        value: value(77),
        other_slot: prove(account, B256::with_last_byte(78), number).await.1,
        other_account: prove(sender, slot, number).await.0,
        absent: (prove(account, absent, number).await.1, absent),
        nobody: (prove(nobody, slot, number).await.0, nobody),
    }
}

/// The RLP of a block's header, whose hash is the block's.
async fn header(provider: &impl Provider, number: u64) -> Bytes {
    let block = provider.get_block(number.into()).await.unwrap().unwrap();
    let rlp = alloy::rlp::encode(&block.header.inner);
    assert_eq!(keccak256(&rlp), block.header.hash);
    rlp.into()
}

fn value(index: u64) -> B256 {
    B256::from(U256::from(index + 1).reverse_bits())
}

/// Init code that fills the slots and returns a one-byte contract.
fn creation_code() -> Vec<u8> {
    let mut code = Vec::new();
    for index in 0..SLOTS {
        code.push(0x7f); // PUSH32 value
        code.extend(value(index));
        code.push(0x61); // PUSH2 slot
        code.extend((index as u16).to_be_bytes());
        code.push(0x55); // SSTORE
    }
    // PUSH1 1, PUSH1 0, RETURN: one zero byte (STOP) of memory.
    code.extend([0x60, 1, 0x60, 0, 0xf3]);
    code
}

#[tokio::test]
async fn real_proofs_are_accepted() {
    let scene = scene().await;
    for proof in [&scene.proof, &scene.later] {
        let proven = verify_slot(
            &HostAsserted,
            proof,
            scene.account,
            scene.code_hash,
            scene.slot,
        )
        .unwrap();
        assert_eq!(proven.value(), scene.value);
        let target = proof
            .header
            .ancestors
            .last()
            .unwrap_or(&proof.header.trusted);
        assert_eq!(proven.header().hash(), keccak256(target));
        assert!(proof.slot_proof.len() > 1 && proof.account_proof.len() > 1);
    }
}

#[tokio::test]
async fn what_is_not_there_is_an_error() {
    let mut scene = scene().await;
    scene.proof.slot_proof = scene.absent.0;
    assert_eq!(
        verify_slot(
            &HostAsserted,
            &scene.proof,
            scene.account,
            scene.code_hash,
            scene.absent.1
        ),
        Err(ProofError::AbsentSlot)
    );
    scene.proof.account_proof = scene.nobody.0;
    assert_eq!(
        verify_slot(
            &HostAsserted,
            &scene.proof,
            scene.nobody.1,
            scene.code_hash,
            scene.slot
        ),
        Err(ProofError::AbsentAccount)
    );
}
