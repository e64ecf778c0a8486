// SPDX-License-Identifier: Apache-2.0
//! What the attested enclave answers off chain, signed: queries, which are static calls by a signed
//! caller with a sealed answer, and statements of what code runs.

use alloy::signers::SignerSync;
use alloy_primitives::{Address, B256, Bytes, keccak256};
use alloy_sol_types::SolValue;
use serde::Serialize;
use subrosa_crypto::Subject as ReplySubject;
use subrosa_types::{
    ContractId,
    abi::{ContractStatement, Query, QueryOutput, QueryPlaintext, QueryReply},
    eip712,
    result::Status,
    rpc::{ContractRequest, QueryRequest, QueryResponse},
};

use crate::{
    Account, Attested, CallTarget, ClientError, ReplyKey, Sealing,
    check::{Checklist, Subject},
    random,
};

/// A static call.
#[derive(Clone, Copy)]
pub struct QueryCall<'a> {
    /// The contract.
    pub contract: ContractId,
    /// ABI-encoded call.
    pub input: &'a [u8],
    /// The oldest acceptable state: at least so many executed entries. `None` demands what the
    /// chain's head says when the query is sent.
    pub minimum_seq: Option<u64>,
    /// How the query is sealed; its lifetime is also that of the caller's signature.
    pub sealing: Sealing,
}

impl<'a> QueryCall<'a> {
    /// A query on a state no older than the chain's head.
    pub fn new(contract: ContractId, input: &'a [u8]) -> Self {
        Self {
            contract,
            input,
            minimum_seq: None,
            sealing: Sealing::default(),
        }
    }
}

impl std::fmt::Debug for QueryCall<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QueryCall")
            .field("contract", &self.contract)
            .field("input_bytes", &self.input.len())
            .field("minimum_seq", &self.minimum_seq)
            .finish_non_exhaustive()
    }
}

/// The answer to a query, signed by the attested signer.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryAnswer {
    /// How it went.
    pub status: Status,
    /// What the call returned, or reverted with.
    pub output: Bytes,
    /// Number of executed entries of the state that answered.
    pub seq: u64,
    /// The head's commitment of that state.
    pub commitment: B256,
    /// Block of the last executed entry.
    pub block: u64,
}

impl std::fmt::Debug for QueryAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QueryAnswer")
            .field("status", &self.status)
            .field("output_bytes", &self.output.len())
            .field("seq", &self.seq)
            .field("block", &self.block)
            .finish_non_exhaustive()
    }
}

/// A checked statement of what code runs under a contract id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// The contract.
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
    /// Asks as `caller`, who signs the query inside its envelope; nobody but the enclave learns
    /// who asked what. Without a caller the guest sees the zero address.
    ///
    /// # Errors
    ///
    /// [`ClientError::Refused`] naming the field of the answer that is not as expected: signature
    /// by the attested signer, query, caller, nonce, configuration, age, commitment, sealed output.
    pub async fn query(
        &self,
        call: &QueryCall<'_>,
        caller: Option<&Account>,
    ) -> Result<QueryAnswer, ClientError> {
        self.check_query_state(call.contract).await?;
        let reply_key = ReplyKey::generate()?;
        let draft = self.draft(call, caller, &reply_key)?;
        let target = CallTarget {
            contract: call.contract,
            requester: Address::ZERO,
            context: B256::ZERO,
        };
        let head = self.connection().chain.head(call.contract).await?;
        let minimum_seq = call.minimum_seq.unwrap_or(head.seq);
        let envelope = self.seal(&target, draft.plaintext, call.sealing)?.envelope;
        let request = QueryRequest {
            contract: call.contract,
            envelope,
        };
        let response = self.connection().node.query(&request).await?;

        let asked = Asked {
            contract: call.contract,
            query_hash: draft.query_hash,
            caller: caller.map(Account::address).unwrap_or_default(),
            nonce: draft.nonce,
            minimum_seq,
        };
        let reply = self.check_reply(&asked, &response)?;
        let mut checklist = Checklist::new(Subject::QueryReply);
        let seq = reply.seq.to::<u64>();
        if seq == head.seq {
            // Same position, so it must be the same state as on chain.
            checklist.equal("reply.commitment", &head.commitment, &reply.commitment);
            checklist.settle()?;
        }
        let opened = self.connection().open_sealed(
            call.contract,
            ReplySubject::Query(asked.query_hash),
            &response.sealed,
            &reply_key,
        )?;
        let (status, output) = check_output(&asked, &opened)?;
        Ok(QueryAnswer {
            status,
            output,
            seq,
            commitment: reply.commitment,
            block: reply.blockNumber,
        })
    }

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

        let mut checklist = Checklist::new(Subject::Statement);
        let statement = match ContractStatement::abi_decode_validate(&response.statement) {
            Ok(statement) => statement,
            Err(error) => {
                checklist.record(
                    "statement.format",
                    false,
                    "an encoded ContractStatement",
                    error,
                );
                return Err(checklist.refusal().into());
            }
        };
        let domain = eip712::oracle_domain(measured.chain_id, measured.oracle);
        let hash = eip712::signing_hash(&statement, &domain);
        checklist.signature("signature", self.signer(), &response.signature, hash);
        checklist.equal("statement.contract", &contract, &statement.contractId);
        checklist.equal("statement.nonce", &nonce, &statement.nonce);
        checklist.equal(
            "statement.config-hash",
            &self.config_hash(),
            &statement.configHash,
        );
        let seq = statement.seq.to::<u64>();
        checklist.record(
            "statement.age",
            seq >= head.seq,
            format_args!("{} executed entries or more", head.seq),
            seq,
        );
        if seq == head.seq {
            checklist.equal(
                "statement.commitment",
                &head.commitment,
                &statement.commitment,
            );
        }
        if let Some(expected) = &expected {
            checklist.equal("statement.code", expected, &statement.codeCommitment);
        }
        checklist.settle()?;
        Ok(Statement {
            contract,
            code_commitment: statement.codeCommitment,
            seq,
            commitment: statement.commitment,
            config_hash: statement.configHash,
        })
    }

    async fn check_query_state(&self, contract: ContractId) -> Result<(), ClientError> {
        // Also tells an unknown contract before anything is encrypted.
        self.connection().chain.log(contract).await?;
        self.recheck().await
    }

    fn draft(
        &self,
        call: &QueryCall<'_>,
        caller: Option<&Account>,
        reply_key: &ReplyKey,
    ) -> Result<SignedQuery, ClientError> {
        let measured = &self.connection().deployment.measured;
        let nonce = B256::from(*random::bytes()?);
        let reply_key = reply_key.public();
        let query = Query {
            contractId: call.contract,
            inputHash: keccak256(call.input),
            replyKeyHash: keccak256(&reply_key),
            nonce,
            expiry: self.fresh()?.saturating_add(call.sealing.lifetime),
        };
        let domain = eip712::oracle_domain(measured.chain_id, measured.oracle);
        let query_hash = eip712::signing_hash(&query, &domain);
        let signature = match caller {
            Some(account) => account
                .sign_hash_sync(&query_hash)
                .map_err(ClientError::Sign)?
                .as_bytes()
                .to_vec(),
            None => Vec::new(),
        };
        Ok(SignedQuery {
            query_hash,
            nonce,
            plaintext: QueryPlaintext {
                input: Bytes::copy_from_slice(call.input),
                replyKey: reply_key.into(),
                nonce,
                expiry: query.expiry,
                caller: caller.map(Account::address).unwrap_or_default(),
                signature: signature.into(),
                padding: Bytes::new(),
            },
        })
    }

    /// Holds a signed reply against what was asked.
    fn check_reply(
        &self,
        asked: &Asked,
        response: &QueryResponse,
    ) -> Result<QueryReply, ClientError> {
        let mut checklist = Checklist::new(Subject::QueryReply);
        let reply = match QueryReply::abi_decode_validate(&response.reply) {
            Ok(reply) => reply,
            Err(error) => {
                checklist.record("reply.format", false, "an encoded QueryReply", error);
                return Err(checklist.refusal().into());
            }
        };
        let measured = &self.connection().deployment.measured;
        let domain = eip712::oracle_domain(measured.chain_id, measured.oracle);
        let hash = eip712::signing_hash(&reply, &domain);
        checklist.signature("signature", self.signer(), &response.signature, hash);
        checklist.equal("reply.query", &asked.query_hash, &reply.queryHash);
        checklist.equal("reply.contract", &asked.contract, &reply.contractId);
        checklist.equal("reply.nonce", &asked.nonce, &reply.nonce);
        checklist.equal("reply.config-hash", &self.config_hash(), &reply.configHash);
        let seq = reply.seq.to::<u64>();
        checklist.record(
            "reply.age",
            seq >= asked.minimum_seq,
            format_args!("{} executed entries or more", asked.minimum_seq),
            seq,
        );
        checklist.equal(
            "reply.output",
            &reply.replyHash,
            &keccak256(&response.sealed),
        );
        checklist.settle()?;
        Ok(reply)
    }
}

/// Holds what was sealed to this client against what was asked.
fn check_output(asked: &Asked, opened: &[u8]) -> Result<(Status, Bytes), ClientError> {
    let mut checklist = Checklist::new(Subject::QueryReply);
    let output = match QueryOutput::abi_decode_validate(opened) {
        Ok(output) => output,
        Err(error) => {
            checklist.record("reply.sealed", false, "an encoded QueryOutput", error);
            return Err(checklist.refusal().into());
        }
    };
    checklist.equal("reply.caller", &asked.caller, &output.caller);
    checklist.settle()?;
    match Status::try_from(output.status) {
        Ok(status) => Ok((status, output.output)),
        Err(error) => {
            checklist.record("reply.status", false, "a known status", error);
            Err(checklist.refusal().into())
        }
    }
}

struct SignedQuery {
    query_hash: B256,
    nonce: B256,
    plaintext: QueryPlaintext,
}

struct Asked {
    contract: ContractId,
    query_hash: B256,
    caller: Address,
    nonce: B256,
    minimum_seq: u64,
}
