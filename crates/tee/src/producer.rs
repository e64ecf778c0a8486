// SPDX-License-Identifier: Apache-2.0
//! What every platform is to [`Tee`](crate::Tee).

use alloy_primitives::B256;
use subrosa_evidence::EvidenceBundle;
use subrosa_types::id::TeeKind;
use zeroize::Zeroizing;

use crate::TeeError;

/// One platform, opened. The methods are those of [`Tee`](crate::Tee), documented there.
pub(crate) trait Producer: Send + Sync {
    fn kind(&self) -> TeeKind;

    fn root_id(&self) -> Option<B256>;

    fn is_development(&self) -> bool {
        false
    }

    fn measurement(&self) -> &[u8];

    fn extend_config(&mut self, config_hash: &[u8; 32]) -> Result<(), TeeError>;

    fn quote(&self, report_data: &[u8; 64]) -> Result<EvidenceBundle, TeeError>;

    fn sealing_key(&self, context: &[u8]) -> Result<Option<Zeroizing<[u8; 32]>>, TeeError>;

    fn random(&self, bytes: &mut [u8]) -> Result<(), TeeError> {
        getrandom::fill(bytes).map_err(|_| TeeError::Random)
    }
}

/// Remembers the configuration on platforms that have no register for it. There it is bound by
/// the report data alone, which every verifier recomputes, and by the sealing key.
#[derive(Debug, Default)]
pub(crate) struct Configuration(Option<[u8; 32]>);

impl Configuration {
    pub(crate) fn fix(&mut self, config_hash: &[u8; 32]) -> Result<(), TeeError> {
        if self.0.is_some() {
            return Err(TeeError::AlreadyConfigured);
        }
        self.0 = Some(*config_hash);
        Ok(())
    }

    pub(crate) fn hash(&self) -> Result<&[u8; 32], TeeError> {
        self.0.as_ref().ok_or(TeeError::NotConfigured)
    }
}
