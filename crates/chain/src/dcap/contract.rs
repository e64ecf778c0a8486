// SPDX-License-Identifier: Apache-2.0
//! A `SubrosaDcap` on a chain: what it keeps, and what submits what it lacks.

use std::cmp::Ordering;

use alloy::{
    primitives::{Address, B256, Bytes, U256, keccak256},
    providers::{DynProvider, Provider},
    rpc::types::TransactionRequest,
    sol_types::{SolCall, SolValue},
    transports::{RpcError, TransportErrorKind},
};

use super::CollateralDocument;
use crate::{
    ChainError,
    bindings::SubrosaDcap::{
        DcapCollateral, SubrosaDcapInstance, putCollateralCall, putConfigRegisterCall,
    },
    endpoint::within,
    fetch_block, revert_reason,
    send::Call,
};

/// A `SubrosaDcap` on a chain.
#[derive(Clone, Debug)]
pub struct Dcap {
    contract: SubrosaDcapInstance<DynProvider>,
}

/// What the contract keeps under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// When it was issued, Unix seconds.
    pub issued: u64,
    /// The last second at which it serves, Unix seconds.
    pub expires: u64,
    /// TCB evaluation number; zero for revocation lists.
    pub evaluation: u32,
}

/// How a document compares with what the contract keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The contract keeps none.
    Missing,
    /// The contract keeps another edition: an older list, or another TCB info or QE identity, beside
    /// which it keeps this one too.
    Other(Kept),
    /// The contract keeps this very edition.
    Same(Kept),
    /// The contract keeps a newer list, and leaves this one alone.
    Older(Kept),
}

impl Standing {
    /// What is kept.
    pub fn kept(self) -> Option<Kept> {
        match self {
            Self::Missing => None,
            Self::Other(kept) | Self::Same(kept) | Self::Older(kept) => Some(kept),
        }
    }

    /// Whether the contract would keep the document if it verifies.
    pub fn is_wanted(self) -> bool {
        matches!(self, Self::Missing | Self::Other(_))
    }
}

/// A call of `putCollateral`, and which of the documents it was made of it submits.
#[derive(Clone, Debug)]
pub struct Submission {
    /// What to send.
    pub call: Call,
    /// Indices into those documents.
    pub documents: Vec<usize>,
}

/// Why the contract does not take something: the name of its error, and the error with its
/// arguments.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// Name of the error, as in the contract's interface.
    pub name: String,
    /// Name and arguments.
    pub reason: String,
}

impl Dcap {
    /// The contract at `address`.
    pub fn new(address: Address, provider: DynProvider) -> Self {
        Self {
            contract: SubrosaDcapInstance::new(address, provider),
        }
    }

    /// Where it is.
    pub fn address(&self) -> Address {
        *self.contract.address()
    }

    /// What is kept under a key.
    ///
    /// # Errors
    ///
    /// [`ChainError::Contract`], [`ChainError::NoContract`] if there is no such contract.
    pub async fn kept(&self, key: B256) -> Result<Option<Kept>, ChainError> {
        let call = self.contract.collateralOf(key);
        let kept = match call.call().await {
            Ok(kept) => kept,
            Err(alloy::contract::Error::ZeroData(..)) => {
                return Err(ChainError::NoContract(self.address()));
            }
            Err(error) => return Err(error.into()),
        };
        let issued = kept.issued.to::<u64>();
        Ok((issued > 0).then(|| Kept {
            issued,
            expires: kept.expires.to::<u64>(),
            evaluation: kept.evaluation.into(),
        }))
    }

    /// How a document compares with what is kept: by the rule by which `putCollateral` decides. Of two
    /// lists of one date it cannot tell the difference, which no issuer publishes.
    ///
    /// # Errors
    ///
    /// As [`Self::kept`], [`ChainError`] if the chain gives no answer.
    pub async fn standing(&self, document: &CollateralDocument) -> Result<Standing, ChainError> {
        let Some(latest) = self.kept(document.latest).await? else {
            return Ok(Standing::Missing);
        };
        if document.latest == document.key {
            return Ok(match document.issued.cmp(&latest.issued) {
                Ordering::Greater => Standing::Other(latest),
                Ordering::Equal => Standing::Same(latest),
                Ordering::Less => Standing::Older(latest),
            });
        }
        let Some(kept) = self.kept(document.key).await? else {
            return Ok(Standing::Other(latest));
        };
        // Submitted once more, it takes the place of a latest edition that has run out.
        if latest.issued < kept.issued && latest.expires < self.now().await? {
            return Ok(Standing::Other(latest));
        }
        Ok(Standing::Same(kept))
    }

    async fn now(&self) -> Result<u64, ChainError> {
        let latest = alloy::eips::BlockId::latest();
        Ok(fetch_block(self.contract.provider(), latest)
            .await?
            .timestamp)
    }

    /// Whether the contract would take a document now; `None` if it would.
    ///
    /// # Errors
    ///
    /// [`ChainError`] if the chain gives no answer.
    pub async fn refusal(
        &self,
        document: &CollateralDocument,
    ) -> Result<Option<Refusal>, ChainError> {
        let input = put(document.submission.clone());
        let request = TransactionRequest::default()
            .to(self.address())
            .input(input.into());
        let provider = self.contract.provider();
        match within(async { provider.call(request).await }).await {
            Ok(_) => Ok(None),
            Err(ChainError::Rpc(error)) => {
                refusal_of(&error).map(Some).ok_or(ChainError::Rpc(error))
            }
            Err(error) => Err(error),
        }
    }

    /// What submits `documents`: all those under one root and signer in one transaction, which saves
    /// verifying these again. A document that is refused takes the others of its transaction with it:
    /// ask [`Self::refusal`] first.
    pub fn submissions(&self, documents: &[&CollateralDocument]) -> Vec<Submission> {
        let mut groups: Vec<(DcapCollateral, Vec<usize>)> = Vec::new();
        for (index, document) in documents.iter().enumerate() {
            let place = groups
                .iter_mut()
                .find_map(|(group, of)| Some((joined(group, &document.submission)?, group, of)));
            match place {
                Some((both, group, of)) => {
                    *group = both;
                    of.push(index);
                }
                None => groups.push((document.submission.clone(), vec![index])),
            }
        }
        let submission = |(collateral, documents)| Submission {
            call: Call::new(self.address(), put(collateral)),
            documents,
        };
        groups.into_iter().map(submission).collect()
    }

    /// What stores the configuration register of TDs started with a configuration; `None` if it is
    /// stored. Registering works without it, and costs 150,000 gas more every time.
    ///
    /// # Errors
    ///
    /// [`ChainError::Rpc`].
    pub async fn config_register(&self, config_hash: B256) -> Result<Option<Call>, ChainError> {
        let slot = U256::from_be_bytes(STORAGE) + U256::from(CONFIG_REGISTERS);
        let place = keccak256((config_hash, slot).abi_encode());
        let stored = self
            .contract
            .provider()
            .get_storage_at(self.address(), place.into())
            .await?;
        if !stored.is_zero() {
            return Ok(None);
        }
        let call = putConfigRegisterCall {
            configHash: config_hash,
        };
        Ok(Some(Call::new(self.address(), call.abi_encode().into())))
    }
}

/// The contract's error behind a failed request, if there is one.
pub fn refusal_of(error: &RpcError<TransportErrorKind>) -> Option<Refusal> {
    let payload = error.as_error_resp()?;
    let data = payload.as_revert_data()?;
    let reason = revert_reason(&data).unwrap_or_else(|| payload.message.to_string());
    let name = reason.split([' ', '(']).next().unwrap_or_default();
    Some(Refusal {
        name: name.to_owned(),
        reason,
    })
}

fn put(collateral: DcapCollateral) -> Bytes {
    putCollateralCall { collateral }.abi_encode().into()
}

/// Two submissions as one, if their roots and signers do not differ.
fn joined(a: &DcapCollateral, b: &DcapCollateral) -> Option<DcapCollateral> {
    let either = |a: &Bytes, b: &Bytes| match (a.is_empty(), b.is_empty()) {
        (_, true) => Some(a.clone()),
        (true, _) => Some(b.clone()),
        _ => (a == b).then(|| a.clone()),
    };
    Some(DcapCollateral {
        rootCertificate: either(&a.rootCertificate, &b.rootCertificate)?,
        rootCrl: either(&a.rootCrl, &b.rootCrl)?,
        pckAuthority: either(&a.pckAuthority, &b.pckAuthority)?,
        pckCrl: either(&a.pckCrl, &b.pckCrl)?,
        tcbSigner: either(&a.tcbSigner, &b.tcbSigner)?,
        tcbInfo: either(&a.tcbInfo, &b.tcbInfo)?,
        tcbInfoSignature: either(&a.tcbInfoSignature, &b.tcbInfoSignature)?,
        qeIdentity: either(&a.qeIdentity, &b.qeIdentity)?,
        qeIdentitySignature: either(&a.qeIdentitySignature, &b.qeIdentitySignature)?,
    })
}

/// Where the contract's storage begins (ERC-7201, `subrosa.storage.Dcap`), and which of its fields
/// is the mapping of configuration registers: `contracts/snapshots` pins both.
const STORAGE: [u8; 32] =
    alloy::primitives::hex!("0e5f8f523a21fd3ef12a1d7648c50792a5beadb6b4b3ba40a15c67850c60ee00");
const CONFIG_REGISTERS: u64 = 2;
