// SPDX-License-Identifier: Apache-2.0
//! Fresh accounts with play money.

use std::path::PathBuf;

use alloy::{providers::DynProvider, providers::Provider, signers::local::PrivateKeySigner};
use alloy_primitives::{Address, B256, U256};

use crate::{DevnetError, Layout, layout};

/// An account of the development chain, with its key in a file.
#[derive(Clone)]
pub struct DevAccount {
    signer: PrivateKeySigner,
    file: PathBuf,
}

impl DevAccount {
    /// Draws a key and writes it to `keys/NAME.key`.
    pub(crate) fn create(layout: &Layout, name: &str) -> Result<Self, DevnetError> {
        let signer = loop {
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes).map_err(DevnetError::Randomness)?;
            // All but about one in 2^128 of them are a key.
            if let Ok(signer) = PrivateKeySigner::from_bytes(&B256::from(bytes)) {
                break signer;
            }
        };
        let file = layout.keys().join(format!("{name}.key"));
        layout::write(&file, &format!("{}\n", signer.to_bytes()))?;
        Ok(Self { signer, file })
    }

    /// Gives it ten thousand ether.
    pub(crate) async fn fund(&self, provider: &DynProvider) -> Result<(), DevnetError> {
        let amount = U256::from(10_000) * U256::from(10).pow(U256::from(18));
        let parameters = (self.address(), amount);
        let funded: Result<serde_json::Value, _> = provider
            .raw_request("anvil_setBalance".into(), parameters)
            .await;
        funded.map(|_| ()).map_err(|source| DevnetError::Chain {
            step: "funding an account",
            source: source.into(),
        })
    }

    /// Its address.
    pub fn address(&self) -> Address {
        self.signer.address()
    }

    /// Its key, to sign with.
    pub fn signer(&self) -> &PrivateKeySigner {
        &self.signer
    }

    /// The file that holds its key, hexadecimal.
    pub fn key_file(&self) -> &std::path::Path {
        &self.file
    }

    /// Its private key. Worth nothing but on this development chain.
    pub fn private_key(&self) -> B256 {
        self.signer.to_bytes()
    }
}

impl std::fmt::Debug for DevAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DevAccount({})", self.address())
    }
}
