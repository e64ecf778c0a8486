// SPDX-License-Identifier: Apache-2.0
//! The vector files that Rust and JavaScript both read.

use std::path::PathBuf;

use alloy_primitives::{Address, B256, Bytes, FixedBytes};
use serde::{Deserialize, Serialize};
use subrosa_crypto::{
    EpochId, EpochSecret, RecipientKey, Subject, Suite,
    envelope::{self, Binding, Expected, Purpose, Session},
    plaintext,
    reply::{self, ReplyBinding},
};
use subrosa_types::abi::{CallPlaintext, DeployPlaintext, QueryPlaintext};

/// A vector file.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Vectors {
    pub(crate) warning: String,
    pub(crate) epoch: Epoch,
    pub(crate) envelopes: Vec<EnvelopeVector>,
    pub(crate) replies: Vec<ReplyVector>,
    pub(crate) sessions: Vec<SessionVector>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Epoch {
    pub(crate) test_secret: B256,
    pub(crate) key_group: u32,
    pub(crate) key_epoch: u32,
    pub(crate) x_wing_public_key: Bytes,
    pub(crate) x25519_public_key: Bytes,
    pub(crate) public_key_hash: B256,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EnvelopeVector {
    pub(crate) name: String,
    pub(crate) sealed_with: String,
    pub(crate) suite: u8,
    pub(crate) purpose: u8,
    pub(crate) id: FixedBytes<16>,
    pub(crate) expiry: u64,
    pub(crate) recipients: B256,
    pub(crate) chain_id: u64,
    pub(crate) oracle: Address,
    pub(crate) contract_id: B256,
    pub(crate) requester: Address,
    pub(crate) context: B256,
    pub(crate) content: Content,
    /// The padded ABI encoding of the content.
    pub(crate) plaintext: Bytes,
    pub(crate) envelope: Bytes,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub(crate) enum Content {
    Deploy {
        engine: u8,
        salt: B256,
        code: Bytes,
        init: Bytes,
    },
    Call {
        input: Bytes,
        reply_key: Bytes,
    },
    Query {
        input: Bytes,
        reply_key: Bytes,
        nonce: B256,
        expiry: u64,
        caller: Address,
        signature: Bytes,
    },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ReplyVector {
    pub(crate) name: String,
    pub(crate) suite: u8,
    pub(crate) recipient_test_seed: B256,
    /// Suite ‖ public key.
    pub(crate) reply_key: Bytes,
    pub(crate) chain_id: u64,
    pub(crate) oracle: Address,
    pub(crate) contract_id: B256,
    /// 1 entry, 2 query.
    pub(crate) subject_kind: u8,
    pub(crate) subject: B256,
    pub(crate) output: Bytes,
    pub(crate) reply: Bytes,
}

/// An envelope of the session that another vector's envelope opens, with that one's binding.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SessionVector {
    pub(crate) name: String,
    /// Position in `envelopes` of the one that opens the session.
    pub(crate) opening: usize,
    pub(crate) session: u64,
    pub(crate) id: FixedBytes<16>,
    pub(crate) expiry: u64,
    pub(crate) input: Bytes,
    pub(crate) envelope: Bytes,
    /// Of the entry that the envelope became.
    pub(crate) digest: B256,
    pub(crate) output: Bytes,
    /// The output, sealed in the session.
    pub(crate) reply: Bytes,
}

impl SessionVector {
    /// What the reply is bound to, where the opening envelope is.
    pub(crate) fn reply_binding(&self, opening: &Binding) -> ReplyBinding {
        ReplyBinding {
            chain_id: opening.chain_id,
            oracle: opening.oracle,
            contract_id: opening.contract_id,
            subject: Subject::Entry(self.digest),
        }
    }
}

pub(crate) fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../../fixtures/envelopes", name]
        .iter()
        .collect()
}

pub(crate) fn read(name: &str) -> Vectors {
    serde_json::from_str(&std::fs::read_to_string(path(name)).unwrap()).unwrap()
}

impl Epoch {
    pub(crate) fn id(&self) -> EpochId {
        EpochId {
            group: self.key_group,
            epoch: self.key_epoch,
        }
    }

    pub(crate) fn secret(&self) -> EpochSecret {
        EpochSecret::from_bytes(&self.test_secret)
    }
}

impl Vectors {
    /// Opens every session's opening envelope, and in the session what belongs to it. Gives how
    /// many.
    pub(crate) fn assert_sessions_open(&self) -> usize {
        let keys = self.epoch.secret().keys(self.epoch.id());
        for vector in &self.sessions {
            let opening = &self.envelopes[vector.opening];
            let binding = opening.binding();
            let expected = Expected {
                purpose: Purpose::Call,
                epoch: keys.id(),
                timestamp: vector.expiry,
                binding: &binding,
            };
            let (opened, secret) =
                envelope::open_session(&opening.envelope, &keys, &expected).unwrap();
            let session = Session::new(vector.session, opened.header.suite, &secret);
            let opened = session.open(&vector.envelope, &expected).unwrap();
            assert_eq!(opened.header.id.as_bytes(), &vector.id.0, "{}", vector.name);
            assert_eq!(&opened.plaintext[..], &vector.input[..], "{}", vector.name);
            let binding = vector.reply_binding(&binding);
            let output = reply::open_in_session(&session, &binding, &vector.reply).unwrap();
            assert_eq!(&output[..], &vector.output[..], "{}", vector.name);
            // Whoever else seals it gets the same bytes.
            let sealed = reply::seal_in_session(&session, &binding, &output).unwrap();
            assert_eq!(&sealed[..], &vector.reply[..], "{}", vector.name);
        }
        self.sessions.len()
    }
}

impl EnvelopeVector {
    pub(crate) fn binding(&self) -> Binding {
        Binding {
            chain_id: self.chain_id,
            oracle: self.oracle,
            contract_id: self.contract_id,
            requester: self.requester,
            context: self.context,
        }
    }

    pub(crate) fn purpose(&self) -> Purpose {
        match self.purpose {
            1 => Purpose::Deploy,
            2 => Purpose::Call,
            3 => Purpose::Query,
            other => panic!("purpose {other}"),
        }
    }
}

impl Content {
    /// The padded ABI encoding.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let padding = Bytes::new();
        match self.clone() {
            Self::Deploy {
                engine,
                salt,
                code,
                init,
            } => plaintext::encode(DeployPlaintext {
                engine,
                salt,
                code,
                init,
                padding,
            }),
            Self::Call { input, reply_key } => plaintext::encode(CallPlaintext {
                input,
                replyKey: reply_key,
                padding,
            }),
            Self::Query {
                input,
                reply_key,
                nonce,
                expiry,
                caller,
                signature,
            } => plaintext::encode(QueryPlaintext {
                input,
                replyKey: reply_key,
                nonce,
                expiry,
                caller,
                signature,
                padding,
            }),
        }
        .to_vec()
    }

    /// Decodes a plaintext of `purpose`.
    pub(crate) fn decode(purpose: Purpose, bytes: &[u8]) -> Self {
        match purpose {
            Purpose::Deploy => {
                let DeployPlaintext {
                    engine,
                    salt,
                    code,
                    init,
                    ..
                } = plaintext::decode(bytes).unwrap();
                Self::Deploy {
                    engine,
                    salt,
                    code,
                    init,
                }
            }
            Purpose::Call => {
                let CallPlaintext {
                    input, replyKey, ..
                } = plaintext::decode(bytes).unwrap();
                Self::Call {
                    input,
                    reply_key: replyKey,
                }
            }
            Purpose::Query => {
                let QueryPlaintext {
                    input,
                    replyKey,
                    nonce,
                    expiry,
                    caller,
                    signature,
                    ..
                } = plaintext::decode(bytes).unwrap();
                Self::Query {
                    input,
                    reply_key: replyKey,
                    nonce,
                    expiry,
                    caller,
                    signature,
                }
            }
            other => panic!("purpose {other:?}"),
        }
    }
}

impl ReplyVector {
    pub(crate) fn recipient(&self) -> RecipientKey {
        RecipientKey::from_seed(
            Suite::try_from(self.suite).unwrap(),
            &self.recipient_test_seed,
        )
    }

    pub(crate) fn binding(&self) -> ReplyBinding {
        let subject = match self.subject_kind {
            1 => Subject::Entry(self.subject),
            2 => Subject::Query(self.subject),
            other => panic!("subject kind {other}"),
        };
        ReplyBinding {
            chain_id: self.chain_id,
            oracle: self.oracle,
            contract_id: self.contract_id,
            subject,
        }
    }
}
