// SPDX-License-Identifier: Apache-2.0
//! What code runs under a contract id, signed by the attested enclave.

use alloy_primitives::B256;
use alloy_sol_types::SolValue;
use serde::Serialize;
use subrosa_types::{ContractId, abi::ContractStatement, eip712, rpc::ContractRequest};

use crate::{
    Attested, ClientError,
    check::{Ledger, Subject},
    query::check_signature,
    random,
};

/// A checked statement of what code runs under a contract id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// Which contract.
    pub contract: ContractId,
    /// Its code commitment: H\["code"\](salt, engine, keccak256(code), keccak256(init)).
    pub code_commitment: B256,
    /// Number of executed entries.
    pub seq: u64,
    /// The head's commitment after them.
    pub commitment: B256,
    /// Hash of the enclave's configuration.
    pub config_hash: B256,
}

impl Attested {
    /// Asks the enclave what code runs under a contract id, and checks that the attested signer
    /// says so, freshly. `expected` is the commitment the caller computed from code it knows.
    ///
    /// # Errors
    ///
    /// [`ClientError::Refused`] naming the field that is not as expected.
    pub async fn contract_statement(
        &self,
        contract: ContractId,
        expected: Option<B256>,
    ) -> Result<Statement, ClientError> {
        let connection = self.connection();
        let measured = &connection.deployment.measured;
        let nonce = B256::from(*random::bytes()?);
        let head = connection.chain.head(contract).await?;
        let response = connection
            .node
            .contract(&ContractRequest { contract, nonce })
            .await?;

        let mut ledger = Ledger::new(Subject::Statement);
        let statement = match ContractStatement::abi_decode_validate(&response.statement) {
            Ok(statement) => statement,
            Err(error) => {
                ledger.record(
                    "statement.format",
                    false,
                    "an encoded ContractStatement",
                    error,
                );
                return Err(ledger.refusal());
            }
        };
        let domain = eip712::oracle_domain(measured.chain_id, measured.oracle);
        let hash = eip712::signing_hash(&statement, &domain);
        check_signature(&mut ledger, self.signer(), &response.signature, hash);
        ledger.equal("statement.contract", &contract, &statement.contractId);
        ledger.equal("statement.nonce", &nonce, &statement.nonce);
        ledger.equal(
            "statement.config-hash",
            &self.config_hash(),
            &statement.configHash,
        );
        let seq = statement.seq.to::<u64>();
        ledger.record(
            "statement.age",
            seq >= head.seq,
            format_args!("{} executed entries or more", head.seq),
            seq,
        );
        if seq == head.seq {
            ledger.equal(
                "statement.commitment",
                &head.commitment,
                &statement.commitment,
            );
        }
        if let Some(expected) = &expected {
            ledger.equal("statement.code", expected, &statement.codeCommitment);
        }
        ledger.settle()?;
        Ok(Statement {
            contract,
            code_commitment: statement.codeCommitment,
            seq,
            commitment: statement.commitment,
            config_hash: statement.configHash,
        })
    }
}
