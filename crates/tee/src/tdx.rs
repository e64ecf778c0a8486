// SPDX-License-Identifier: Apache-2.0
//! Intel TDX: quotes through configfs-tsm, registers through sysfs.
//!
//! The registers are at `/sys/devices/virtual/misc/tdx_guest/measurements` since Linux 6.16
//! (Documentation/ABI/testing/sysfs-devices-virtual-misc-tdx_guest). Reading one yields 48 bytes,
//! writing 48 bytes to an RTMR extends it by them. Without them a guest can still quote, and its
//! measurement is read from a quote of its own; but its configuration cannot be fixed, so
//! [`extend_config`](Producer::extend_config) fails and says what is missing.
//!
//! A trust domain has no sealing key.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use alloy_primitives::B256;
use sha2::{Digest, Sha384};
use subrosa_evidence::{EvidenceBundle, EvidencePart, INTEL_SGX_ROOT_ID};
use subrosa_types::id::TeeKind;
use zeroize::Zeroizing;

use crate::TeeError;
use crate::files::{Files, Interface};
use crate::layout::TdQuote;
use crate::patience::Patience;
use crate::producer::Producer;
use crate::software::extend_digest;
use crate::tsm::{self, Privilege, Request};

/// A trust domain.
pub(crate) struct Tdx {
    files: Arc<dyn Files>,
    patience: Patience,
    /// MRTD ‖ RTMR0 ‖ RTMR1 ‖ RTMR2.
    measurement: Vec<u8>,
    configured: bool,
}

impl Tdx {
    /// What configfs-tsm calls it.
    pub(crate) const PROVIDER: &'static str = "tdx_guest";

    pub(crate) fn open(files: Arc<dyn Files>, patience: Patience) -> Result<Self, TeeError> {
        let mut tdx = Self {
            files,
            patience,
            measurement: Vec::new(),
            configured: false,
        };
        tdx.measurement = match tdx.measured_registers() {
            Err(TeeError::Missing { .. }) => {
                TdQuote::parse(tdx.quote(&[0; 64])?.quote())?.measurement()
            }
            other => other?,
        };
        Ok(tdx)
    }

    fn measured_registers(&self) -> Result<Vec<u8>, TeeError> {
        let mut measurement = Vec::with_capacity(192);
        for name in ["mrtd", "rtmr0", "rtmr1", "rtmr2"] {
            measurement.extend(self.register(name)?);
        }
        Ok(measurement)
    }

    fn register(&self, name: &str) -> Result<[u8; 48], TeeError> {
        let bytes = REGISTERS.read(self.files.as_ref(), &register_path(name), 48)?;
        bytes
            .as_slice()
            .try_into()
            .map_err(|_| TeeError::Malformed {
                what: "TDX measurement register",
                why: "not 48 bytes",
            })
    }
}

impl Producer for Tdx {
    fn kind(&self) -> TeeKind {
        TeeKind::Tdx
    }

    fn root_id(&self) -> Option<B256> {
        Some(INTEL_SGX_ROOT_ID)
    }

    fn measurement(&self) -> &[u8] {
        &self.measurement
    }

    fn extend_config(&mut self, config_hash: &[u8; 32]) -> Result<(), TeeError> {
        if self.configured {
            return Err(TeeError::AlreadyConfigured);
        }
        let digest = Sha384::digest(config_hash).into();
        let wanted = extend_digest(&[0; 48], &digest);
        let found = self.register("rtmr3")?;
        // An enclave process may be started again in the same trust domain. With the same
        // configuration the register already says so; with another, no quote could ever show it.
        if found != wanted {
            if found != [0; 48] {
                return Err(TeeError::ForeignRtmr3);
            }
            REGISTERS.write(self.files.as_ref(), &register_path("rtmr3"), &digest)?;
            if self.register("rtmr3")? != wanted {
                return Err(TeeError::ForeignRtmr3);
            }
        }
        self.configured = true;
        Ok(())
    }

    fn quote(&self, report_data: &[u8; 64]) -> Result<EvidenceBundle, TeeError> {
        let request = Request {
            provider: Self::PROVIDER,
            report_data,
            privilege: Privilege::None,
        };
        let report = tsm::report(self.files.as_ref(), self.patience, request, |quote| {
            Ok(TdQuote::parse(quote)?.report_data == report_data)
        })?;
        let parts = [(EvidencePart::Quote, report.outblob)];
        Ok(EvidenceBundle::from_parts(TeeKind::Tdx, parts)?)
    }

    fn sealing_key(&self, _: &[u8]) -> Result<Option<Zeroizing<[u8; 32]>>, TeeError> {
        Ok(None)
    }
}

fn register_path(name: &str) -> PathBuf {
    Path::new(MEASUREMENTS).join(format!("{name}:sha384"))
}

const MEASUREMENTS: &str = "sys/devices/virtual/misc/tdx_guest/measurements";
const REGISTERS: Interface = Interface {
    name: "the TDX measurement registers",
    needs: "Linux 6.16 with the tdx_guest driver, which shows the registers and extends RTMR3",
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::software::blueprint::Blueprint;
    use crate::software::extend;
    use crate::software::quote;
    use crate::tsm::fake::{Fault, Kernel, Registers};

    const CONFIG: [u8; 32] = [5; 32];

    /// What a TDX module would sign: a quote in the format of hardware, by the development PKI.
    fn sign(registers: &Registers, report_data: &[u8], _: u8) -> (Vec<u8>, Vec<u8>) {
        let registers = quote::Registers {
            mrtd: registers.mrtd.as_slice().try_into().unwrap(),
            rtmr: registers.rtmr.as_slice().try_into().unwrap(),
        };
        let blueprint = Blueprint::development([0; 16]);
        let report_data = report_data.try_into().unwrap();
        (quote::quote(&blueprint, &registers, report_data), vec![])
    }

    fn kernel() -> Arc<Kernel> {
        Arc::new(Kernel::new(Tdx::PROVIDER, sign))
    }

    fn open(kernel: &Arc<Kernel>) -> Tdx {
        Tdx::open(kernel.clone(), Patience::IMPATIENT).unwrap()
    }

    fn expected_measurement() -> Vec<u8> {
        [[0x11; 48], [0x20; 48], [0x21; 48], [0x22; 48]].concat()
    }

    #[test]
    fn a_quote_shows_configuration_and_report_data() {
        let kernel = kernel();
        let mut tdx = open(&kernel);
        assert_eq!(tdx.measurement(), expected_measurement());
        tdx.extend_config(&CONFIG).unwrap();
        let evidence = tdx.quote(&[9; 64]).unwrap();
        assert_eq!(evidence.kind(), TeeKind::Tdx);
        let quote = TdQuote::parse(evidence.quote()).unwrap();
        assert_eq!(quote.report_data, &[9; 64]);
        assert_eq!(quote.rtmr[3], &extend(&[0; 48], &CONFIG));
        assert_eq!(evidence.parts().count(), 1);
        assert!(tdx.sealing_key(b"x").unwrap().is_none());
    }

    #[test]
    fn before_linux_6_16_the_measurement_comes_from_a_quote_and_the_configuration_is_refused() {
        let kernel = kernel();
        kernel.state().sysfs = false;
        let mut tdx = open(&kernel);
        assert_eq!(tdx.measurement(), expected_measurement());
        let error = tdx.extend_config(&CONFIG).unwrap_err();
        assert!(matches!(error, TeeError::Missing { .. }));
        let text = error.to_string();
        assert!(
            text.contains("rtmr3:sha384") && text.contains("Linux 6.16"),
            "{text}"
        );
    }

    #[test]
    fn the_configuration_is_fixed_once() {
        let mut tdx = open(&kernel());
        tdx.extend_config(&CONFIG).unwrap();
        assert!(matches!(
            tdx.extend_config(&CONFIG),
            Err(TeeError::AlreadyConfigured)
        ));
    }

    #[test]
    fn a_second_process_may_fix_the_same_configuration_and_no_other() {
        let kernel = kernel();
        open(&kernel).extend_config(&CONFIG).unwrap();
        let before = kernel.state().registers.rtmr[3];
        open(&kernel).extend_config(&CONFIG).unwrap();
        assert_eq!(kernel.state().registers.rtmr[3], before);
        let error = open(&kernel).extend_config(&[6; 32]).unwrap_err();
        assert!(matches!(error, TeeError::ForeignRtmr3));
        assert_eq!(kernel.state().registers.rtmr[3], before);
    }

    #[test]
    fn a_register_of_the_wrong_size_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let registers = root.path().join(MEASUREMENTS);
        std::fs::create_dir_all(&registers).unwrap();
        let files = Arc::new(crate::files::System(root.path().to_owned()));
        std::fs::write(registers.join("mrtd:sha384"), [0; 47]).unwrap();
        assert!(matches!(
            Tdx::open(files.clone(), Patience::IMPATIENT),
            Err(TeeError::Malformed { .. })
        ));
        std::fs::write(registers.join("mrtd:sha384"), [0; 49]).unwrap();
        assert!(matches!(
            Tdx::open(files, Patience::IMPATIENT),
            Err(TeeError::TooLong { limit: 48, .. })
        ));
    }

    #[test]
    fn a_quote_for_somebody_else_is_asked_for_again_and_given_up_in_the_end() {
        let kernel = Kernel::new(Tdx::PROVIDER, sign).failing([Fault::ForeignReport]);
        let tdx = open(&Arc::new(kernel));
        let evidence = tdx.quote(&[9; 64]).unwrap();
        let quote = TdQuote::parse(evidence.quote()).unwrap();
        assert_eq!(quote.report_data, &[9; 64]);
        let kernel = Kernel::new(Tdx::PROVIDER, sign).failing([Fault::ForeignReport; 9]);
        assert!(matches!(
            open(&Arc::new(kernel)).quote(&[9; 64]),
            Err(TeeError::Raced { attempts: 4, .. })
        ));
    }

    #[test]
    fn an_snp_guest_is_no_trust_domain() {
        let kernel = Arc::new(Kernel::new("sev_guest", sign));
        kernel.state().sysfs = false;
        assert!(matches!(
            Tdx::open(kernel, Patience::IMPATIENT),
            Err(TeeError::WrongPlatform { .. })
        ));
    }
}
