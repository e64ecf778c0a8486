// SPDX-License-Identifier: Apache-2.0
//! The state machine's platform, over `subrosa-tee`.

use std::path::Path;

use alloy_primitives::{B256, keccak256};
use eyre::{Result, WrapErr};
use subrosa_attestation::EvidenceBundle;
use subrosa_enclave_core::{Evidence, Identity, Platform, PlatformError};
use subrosa_tee::{DEVELOPMENT_ROOT_ID, MachineSecret, Tee};
use zeroize::Zeroizing;

/// The environment this process runs in.
pub(crate) struct TeePlatform(Tee);

impl TeePlatform {
    pub(crate) fn open(sealing_key_file: Option<&Path>) -> Result<Self> {
        let secret = sealing_key_file
            .map(MachineSecret::open_or_create)
            .transpose()?;
        Tee::software(secret)
            .map(Self)
            .wrap_err("cannot open the software TEE")
    }
}

impl Platform for TeePlatform {
    fn identity(&self) -> Identity {
        Identity {
            tee: self.0.kind(),
            root_id: B256::from(DEVELOPMENT_ROOT_ID),
            measurement_hash: keccak256(self.0.measurement()),
            development: self.0.is_development(),
        }
    }

    fn fix_config(&mut self, config_hash: B256) -> Result<(), PlatformError> {
        self.0.extend_config(&config_hash.0).map_err(fault)
    }

    fn evidence(&mut self, report_data: [u8; 64]) -> Result<Evidence, PlatformError> {
        let evidence = self.0.quote(&report_data).map_err(fault)?;
        let collateral = evidence.collateral.unwrap_or_default();
        let bundle = EvidenceBundle::new(evidence.kind, evidence.quote, collateral)
            .map_err(|error| PlatformError(error.to_string()))?;
        Ok(Evidence {
            bundle: bundle.encode(),
        })
    }

    fn sealing_key(&self) -> Option<Zeroizing<[u8; 32]>> {
        self.0.sealing_key(b"subrosa/v1/epoch").ok().flatten()
    }

    fn random(&mut self, bytes: &mut [u8]) -> Result<(), PlatformError> {
        self.0.random(bytes).map_err(fault)
    }
}

fn fault(error: subrosa_tee::TeeError) -> PlatformError {
    PlatformError(error.to_string())
}
