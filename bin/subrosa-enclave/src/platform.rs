// SPDX-License-Identifier: Apache-2.0
//! The state machine's platform, over `subrosa-tee`.

use alloy_primitives::{B256, keccak256};
use eyre::{OptionExt, Result, WrapErr};
use subrosa_enclave_core::{Evidence, Identity, Platform, PlatformError};
use subrosa_tee::{MachineSecret, Paths, Tee};
use zeroize::Zeroizing;

use crate::arguments::Environment;

/// The environment this process runs in.
pub(crate) struct TeePlatform {
    tee: Tee,
    identity: Identity,
}

impl TeePlatform {
    pub(crate) fn open(environment: &Environment) -> Result<Self> {
        let tee = match environment {
            Environment::Hardware(selection) => Tee::open(*selection, &Paths::default())
                .wrap_err("cannot open the trusted execution environment")?,
            Environment::Software(file) => {
                let secret = file.as_deref().map(MachineSecret::open_or_create);
                Tee::software(secret.transpose()?).wrap_err("cannot open the software TEE")?
            }
        };
        let root_id = tee
            .root_id()
            .ok_or_eyre("this version does not know the root key of this processor")?;
        let identity = Identity {
            tee: tee.kind(),
            root_id,
            measurement_hash: keccak256(tee.measurement()),
            development: tee.is_development(),
        };
        Ok(Self { tee, identity })
    }
}

impl Platform for TeePlatform {
    fn identity(&self) -> Identity {
        self.identity
    }

    fn fix_config(&mut self, config_hash: B256) -> Result<(), PlatformError> {
        self.tee.extend_config(&config_hash.0).map_err(fault)
    }

    fn evidence(&mut self, report_data: [u8; 64]) -> Result<Evidence, PlatformError> {
        let bundle = self.tee.quote(&report_data).map_err(fault)?;
        Ok(Evidence {
            bundle: bundle.encode(),
        })
    }

    fn sealing_key(&self) -> Option<Zeroizing<[u8; 32]>> {
        match self.tee.sealing_key(b"subrosa/v1/epoch") {
            Ok(key) => key,
            // The state machine goes on without; the operator should know what is missing.
            Err(error) => {
                eprintln!("no sealing key: {}", chain(&error));
                None
            }
        }
    }

    fn random(&mut self, bytes: &mut [u8]) -> Result<(), PlatformError> {
        self.tee.random(bytes).map_err(fault)
    }
}

fn fault(error: subrosa_tee::TeeError) -> PlatformError {
    PlatformError(chain(&error))
}

/// An error and its causes in one line. They name files, devices and codes, and hold no secrets.
fn chain(error: &subrosa_tee::TeeError) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
