// SPDX-License-Identifier: Apache-2.0
//! Keys that live as long as the process.

use alloy_primitives::Bytes;
use subrosa_crypto::{Signer, transfer::TransferKey};
use zeroize::Zeroizing;

use crate::platform::{Platform, PlatformError};

/// The signer and the node transfer key, drawn at boot and never stored.
pub(crate) struct BootKeys {
    pub(crate) id: [u8; 16],
    pub(crate) signer: Signer,
    pub(crate) transfer_public: Bytes,
}

impl BootKeys {
    pub(crate) fn draw(platform: &mut dyn Platform) -> Result<Self, PlatformError> {
        let mut id = [0; 16];
        platform.random(&mut id)?;
        let mut seed = Zeroizing::new([0; 32]);
        let signer = loop {
            platform.random(seed.as_mut_slice())?;
            // All but about one in 2^128 seeds are a private key.
            if let Ok(signer) = Signer::from_seed(&seed) {
                break signer;
            }
        };
        platform.random(seed.as_mut_slice())?;
        let transfer = TransferKey::from_seed(&seed);
        Ok(Self {
            id,
            signer,
            transfer_public: transfer.public().to_bytes().into(),
        })
    }
}
