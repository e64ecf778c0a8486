// SPDX-License-Identifier: Apache-2.0
//! Proofs of entries' slots, as enclaves want to see them.

use subrosa_types::{ContractId, frame::StorageProof, slot};

use super::needs::Needs;
use crate::step::Fault;

/// The proof of an entry's slot: as kept at inclusion, or else at the tip now.
pub(super) async fn kept(
    needs: &Needs,
    contract: ContractId,
    seq: u64,
) -> Result<StorageProof, Fault> {
    match needs.store.proof(contract, seq).await? {
        Some(proof) => Ok(proof),
        None => afresh(needs, contract, seq).await,
    }
}

/// The proof of an entry's slot at the tip now, which is kept.
pub(super) async fn afresh(
    needs: &Needs,
    contract: ContractId,
    seq: u64,
) -> Result<StorageProof, Fault> {
    let tip = needs.chain.tip().await?;
    let slot = slot::entry(contract, seq);
    let proof = needs.chain.proof(needs.oracle, slot, tip.hash).await?;
    needs.store.put_proof(contract, seq, proof.clone()).await?;
    needs.anchor.saw(tip.number, &proof.header);
    Ok(proof)
}
