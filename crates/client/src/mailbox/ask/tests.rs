// SPDX-License-Identifier: Apache-2.0

use alloy::signers::SignerSync;
use subrosa_types::{
    abi::{AttestationStatement, EpochOpening},
    config::{CONFIG_VERSION, HeaderTrustKind, Recovery},
};

use super::*;

fn config() -> EnclaveConfig {
    EnclaveConfig {
        version: CONFIG_VERSION,
        chainId: U256::from(31_337),
        registry: Address::repeat_byte(1),
        registryCodeHash: B256::repeat_byte(2),
        oracle: Address::repeat_byte(3),
        oracleCodeHash: B256::repeat_byte(4),
        headerTrust: HeaderTrustKind::HostAsserted as u8,
        headerTrustParameters: Bytes::new(),
        evidenceRoots: vec![B256::repeat_byte(5)],
        policyHash: B256::repeat_byte(6),
        keyGroup: 1,
        recovery: Recovery::SealedDevelopment.pack(),
    }
}

fn key() -> Account {
    Account::from_bytes(&B256::repeat_byte(7)).unwrap()
}

fn asked(challenge: u8) -> AskedChallenge {
    AskedChallenge {
        asker: Address::repeat_byte(8),
        signer: key().address(),
        challenge: B256::repeat_byte(challenge),
        escrow: U256::from(1),
        deadline: 3_600,
    }
}

fn presented() -> PresentedAttestation {
    let hash = B256::repeat_byte(9);
    PresentedAttestation {
        statement: AttestationStatement {
            challengeHash: hash,
            keyGroup: 1,
            keyEpoch: 1,
            publicKeyHash: hash,
            recovery: U256::ZERO,
            configHash: hash,
            startHash: hash,
            headerNumber: 1,
            headerHash: hash,
            headerTime: 1,
        },
        signature: Bytes::from_static(b"signature"),
        transferKeyHash: hash,
        opening: EpochOpening {
            keyGroup: 1,
            keyEpoch: 1,
            publicKeyHash: hash,
            configHash: hash,
            setHash: hash,
            recovery: U256::ZERO,
        },
        xwingKey: Bytes::from_static(b"key"),
        x25519Key: hash,
    }
}

/// What `key` answers to a challenge, with this evidence and statement.
fn answer(
    asked: &AskedChallenge,
    evidence: &'static [u8],
    statement: Vec<u8>,
) -> ChallengeAnswered {
    let message = AttestationAnswer {
        challengeHash: challenge_hash(&Challenge::Client(asked.challenge.to_vec())),
        evidenceHash: keccak256(evidence),
        statementHash: keccak256(&statement),
        payee: Address::ZERO,
    };
    let config = config();
    let domain = eip712::oracle_domain(config.chain_id(), config.oracle);
    let hash = eip712::signing_hash(&message, &domain);
    let signature = key().sign_hash_sync(&hash).unwrap();
    ChallengeAnswered {
        id: asked.id(),
        signer: asked.signer,
        evidence: Bytes::from_static(evidence),
        statement: statement.into(),
        payee: Address::ZERO,
        signature: signature.as_bytes().to_vec().into(),
    }
}

fn check(answer: &ChallengeAnswered) -> Result<PresentedAttestation, String> {
    let mut checklist = Checklist::new(Subject::Chain);
    match check_answer(&mut checklist, &config(), &asked(1), answer) {
        Ok(presented) => Ok(presented),
        Err(ClientError::Refused(refusal)) => Err(refusal.check.into_owned()),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn an_answer_is_taken_from_the_signer_asked_to_the_challenge_put() {
    let honest = answer(&asked(1), b"evidence", presented().abi_encode());
    assert_eq!(check(&honest), Ok(presented()));

    let refused = |answer: ChallengeAnswered, by: &str| {
        assert_eq!(check(&answer), Err(by.to_owned()));
    };
    // Given to another challenge, and shown as if to this one.
    let mut other = answer(&asked(2), b"evidence", presented().abi_encode());
    refused(other.clone(), "answer.id");
    other.id = asked(1).id();
    refused(other, "answer.signature");
    let mut foreign = honest.clone();
    foreign.signer = Address::repeat_byte(1);
    refused(foreign, "answer.signer");
    // Nothing in it can be replaced.
    let mut evidence = honest.clone();
    evidence.evidence = Bytes::from_static(b"for another challenge");
    refused(evidence, "answer.signature");
    let mut payee = honest.clone();
    payee.payee = Address::repeat_byte(1);
    refused(payee, "answer.signature");
    let mut keys = presented();
    keys.x25519Key = B256::ZERO;
    let mut statement = honest.clone();
    statement.statement = keys.abi_encode().into();
    refused(statement, "answer.signature");
    // Signed, and not what is signed for.
    refused(
        answer(&asked(1), b"evidence", b"no statement".to_vec()),
        "answer.format",
    );
}
