// SPDX-License-Identifier: Apache-2.0
//! AMD SEV-SNP: reports through configfs-tsm, a derived key through `/dev/sev-guest`.
//!
//! The report is for the privilege level (VMPL) the guest runs at, the lowest number it may ask
//! for. The configuration has no register here: report data and sealing key bind it.
//!
//! # The sealing key
//!
//! MSG_KEY_REQ (SEV-SNP firmware ABI, 56860) derives a key from
//! - the root the firmware signs reports with: `ROOT_KEY_SELECT` 0, the chip's VCEK. The other
//!   root, VMRK, lives as long as a migration agent. Where the host has loaded a VLEK, firmware
//!   since revision 1.54 takes that instead: a secret of the cloud's fleet, not of the chip, so that
//!   the same image may obtain the same key on every machine of the provider. There is no sealing
//!   key then. Which of the two it is, SIGNING_KEY of the guest's own report says, signed by the
//!   same rule; it is read before and after, since the host may load a VLEK at any time.
//! - `GUEST_POLICY` and `MEASUREMENT`, selected by `GUEST_FIELD_SELECT`: another image, or this
//!   image with debugging allowed, gets another key.
//! - the VMPL, always.
//!
//! `TCB_VERSION` is not selected. A guest may ask for any version up to the committed one, so
//! mixing it in keeps no secret from newer firmware; it would keep a firmware that was rolled back
//! below the version from deriving the key, at the price that the version a secret was sealed under
//! has to be remembered outside and that every update of it needs sealing again. Old firmware is
//! refused where evidence is judged. Neither are `IMAGE_ID`, `FAMILY_ID` and `GUEST_SVN`: whoever
//! launches the guest chooses them.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use alloy_primitives::B256;
use subrosa_evidence::{EvidenceBundle, EvidencePart, Product};
use subrosa_types::id::TeeKind;
use zeroize::Zeroizing;

use crate::files::{Files, Interface};
use crate::ioctl::{DERIVED_KEY_REQUEST, DERIVED_KEY_RESPONSE, Device};
use crate::layout::{SnpReport, array};
use crate::patience::Patience;
use crate::producer::{Configuration, Producer};
use crate::sealing::sealing_key;
use crate::tsm::{self, Privilege, Report, Request};
use crate::{TeeError, processor};

/// Opens `/dev/sev-guest`: when a key is asked for and not before, because a guest that only
/// quotes needs no access to it.
pub(crate) type OpenDevice = Box<dyn Fn() -> io::Result<Box<dyn Device>> + Send + Sync>;

/// An SEV-SNP guest.
pub(crate) struct Snp {
    files: Arc<dyn Files>,
    patience: Patience,
    open_device: OpenDevice,
    measurement: Vec<u8>,
    vmpl: u32,
    root_id: Option<B256>,
    configuration: Configuration,
}

impl Snp {
    /// What configfs-tsm calls it.
    pub(crate) const PROVIDER: &'static str = "sev_guest";

    /// Where the derived key comes from.
    pub(crate) const DEVICE: &'static str = "dev/sev-guest";

    pub(crate) fn open(
        files: Arc<dyn Files>,
        patience: Patience,
        open_device: OpenDevice,
    ) -> Result<Self, TeeError> {
        let own = request(files.as_ref(), patience, &[0; 64])?;
        let report = SnpReport::parse(&own.outblob)?;
        let processor = report.processor.or_else(processor::running);
        Ok(Self {
            measurement: report.measurement.to_vec(),
            vmpl: report.vmpl,
            root_id: processor
                .and_then(|(family, model)| Product::of_amd(family, model))
                .map(Product::root_id),
            files,
            patience,
            open_device,
            configuration: Configuration::default(),
        })
    }

    /// Refuses unless the chip's own key signs reports, and so is the root of derived keys.
    fn signs_with_its_own_key(&self) -> Result<(), TeeError> {
        let own = request(self.files.as_ref(), self.patience, &[0; 64])?;
        match SnpReport::parse(&own.outblob)?.signing_key {
            VCEK => Ok(()),
            signing_key => Err(TeeError::SharedSealingKey { signing_key }),
        }
    }

    /// MSG_KEY_REQ, as `struct snp_derived_key_req` lays it out, and MSG_KEY_RSP: status at 0, key
    /// at 0x20.
    fn derived_key(&self) -> Result<Zeroizing<[u8; 32]>, TeeError> {
        let path = || PathBuf::from("/").join(Self::DEVICE);
        let device = (self.open_device)().map_err(SEV_GUEST.fault("open", &path(), 0))?;
        let mut request = [0; DERIVED_KEY_REQUEST];
        let fields: [&[u8]; 6] = [
            &ROOT_KEY_SELECT.to_le_bytes(),
            &0u32.to_le_bytes(),
            &GUEST_FIELD_SELECT.to_le_bytes(),
            &self.vmpl.to_le_bytes(),
            &0u32.to_le_bytes(),
            &0u64.to_le_bytes(),
        ];
        for (to, from) in request.iter_mut().zip(fields.concat()) {
            *to = from;
        }
        let response = device
            .exchange(&request, DERIVED_KEY_RESPONSE)
            .map_err(|fault| TeeError::GuestRequest {
                path: path(),
                exit: fault.exit,
                source: fault.source,
            })?;
        let short = || TeeError::Malformed {
            what: "derived key response",
            why: "too short",
        };
        let status = u32::from_le_bytes(*array(&response, 0).ok_or_else(short)?);
        if status != 0 {
            return Err(TeeError::SecureProcessor { status });
        }
        Ok(Zeroizing::new(*array(&response, 0x20).ok_or_else(short)?))
    }
}

impl Producer for Snp {
    fn kind(&self) -> TeeKind {
        TeeKind::Snp
    }

    fn root_id(&self) -> Option<B256> {
        self.root_id
    }

    fn measurement(&self) -> &[u8] {
        &self.measurement
    }

    fn extend_config(&mut self, config_hash: &[u8; 32]) -> Result<(), TeeError> {
        self.configuration.fix(config_hash)
    }

    fn quote(&self, report_data: &[u8; 64]) -> Result<EvidenceBundle, TeeError> {
        let report = request(self.files.as_ref(), self.patience, report_data)?;
        let mut parts = vec![(EvidencePart::Quote, report.outblob)];
        if !report.auxblob.is_empty() {
            parts.push((EvidencePart::CertificateTable, report.auxblob));
        }
        Ok(EvidenceBundle::from_parts(TeeKind::Snp, parts)?)
    }

    fn sealing_key(&self, context: &[u8]) -> Result<Option<Zeroizing<[u8; 32]>>, TeeError> {
        let config_hash = self.configuration.hash()?;
        self.signs_with_its_own_key()?;
        let key = self.derived_key()?;
        self.signs_with_its_own_key()?;
        Ok(sealing_key(
            b"sev-snp",
            key.as_slice(),
            config_hash,
            context,
        ))
    }
}

fn request(
    files: &dyn Files,
    patience: Patience,
    report_data: &[u8; 64],
) -> Result<Report, TeeError> {
    let request = Request {
        provider: Snp::PROVIDER,
        report_data,
        privilege: Privilege::Own,
    };
    tsm::report(files, patience, request, |report| {
        Ok(SnpReport::parse(report)?.report_data == report_data)
    })
}

const SEV_GUEST: Interface = Interface {
    name: "/dev/sev-guest",
    needs: "the sev-guest driver (Linux 5.19), which derives the sealing key",
};
/// VCEK (or the VLEK that replaces it).
const ROOT_KEY_SELECT: u32 = 0;
/// SIGNING_KEY of reports.
const VCEK: u8 = 0;
/// GUEST_POLICY, bit 0; MEASUREMENT, bit 3.
const GUEST_FIELD_SELECT: u64 = 1 | 1 << 3;

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};
    use subrosa_evidence::AMD_GENOA_ROOT_ID;

    use super::*;
    use crate::ioctl::DeviceFault;
    use crate::tsm::fake::{Fault, Kernel, Registers};

    /// A report in the layout of hardware, unsigned, and a certificate table of five bytes.
    fn sign(registers: &Registers, report_data: &[u8], level: u8) -> (Vec<u8>, Vec<u8>) {
        let mut report = vec![0; SnpReport::BYTES];
        report[0] = 3;
        report[0x30] = level;
        report[0x50..0x90].copy_from_slice(report_data);
        report[0x90..0xc0].copy_from_slice(&registers.mrtd);
        report[0x188..0x18a].copy_from_slice(&[0x19, 0x11]);
        (report, b"table".to_vec())
    }

    /// A secure processor that derives as documented: every input changes the key.
    #[derive(Clone, Copy)]
    enum Processor {
        Sound { chip: u8 },
        Status(u32),
        Exit(u64),
        Short,
    }

    impl Device for Processor {
        fn exchange(
            &self,
            request: &[u8],
            limit: usize,
        ) -> Result<Zeroizing<Vec<u8>>, DeviceFault> {
            assert_eq!((request.len(), limit), (32, 64));
            let mut response = vec![0; 64];
            match self {
                Self::Sound { chip } => {
                    // Root 0, reserved 0, policy and measurement, no SVN, no TCB version.
                    assert_eq!(request[..8], [0; 8]);
                    assert_eq!(request[8..16], 9u64.to_le_bytes());
                    assert_eq!(request[20..], [0; 12]);
                    let key = Sha256::new().chain_update([*chip]).chain_update(request);
                    response[0x20..].copy_from_slice(&key.finalize());
                }
                Self::Status(status) => response[..4].copy_from_slice(&status.to_le_bytes()),
                Self::Exit(exit) => {
                    return Err(DeviceFault {
                        source: io::Error::from_raw_os_error(5),
                        exit: *exit,
                    });
                }
                Self::Short => response.truncate(0x3f),
            }
            Ok(Zeroizing::new(response))
        }
    }

    fn open(kernel: Kernel, processor: Processor) -> (Arc<Kernel>, Snp) {
        let kernel = Arc::new(kernel);
        let open_device: OpenDevice = Box::new(move || Ok(Box::new(processor)));
        let snp = Snp::open(kernel.clone(), Patience::IMPATIENT, open_device).unwrap();
        (kernel, snp)
    }

    fn kernel() -> Kernel {
        Kernel::new(Snp::PROVIDER, sign)
    }

    #[test]
    fn a_report_comes_with_its_certificate_table_at_the_guests_own_level() {
        let kernel = kernel();
        kernel.state().floor = 2;
        let (kernel, snp) = open(kernel, Processor::Sound { chip: 1 });
        assert_eq!(snp.measurement(), [0x11; 48]);
        assert_eq!(snp.root_id(), Some(AMD_GENOA_ROOT_ID));
        let evidence = snp.quote(&[9; 64]).unwrap();
        assert_eq!(evidence.kind(), TeeKind::Snp);
        let report = SnpReport::parse(evidence.quote()).unwrap();
        assert_eq!((report.report_data, report.vmpl), (&[9; 64], 2));
        assert_eq!(
            evidence.part(EvidencePart::CertificateTable),
            Some(&b"table"[..])
        );
        assert_eq!(kernel.state().privilege_levels_written, ["2", "2"]);
        assert_eq!(kernel.entries_left(), 0);
    }

    #[test]
    fn without_certificates_there_is_no_such_part() {
        fn bare(registers: &Registers, report_data: &[u8], level: u8) -> (Vec<u8>, Vec<u8>) {
            (sign(registers, report_data, level).0, vec![])
        }
        let (_, snp) = open(
            Kernel::new(Snp::PROVIDER, bare),
            Processor::Sound { chip: 1 },
        );
        let evidence = snp.quote(&[9; 64]).unwrap();
        assert_eq!(evidence.parts().count(), 1);
    }

    #[test]
    fn the_sealing_key_follows_chip_level_configuration_and_context() {
        let key = |chip, floor, config: u8, context: &[u8]| {
            let kernel = kernel();
            kernel.state().floor = floor;
            let (_, mut snp) = open(kernel, Processor::Sound { chip });
            snp.extend_config(&[config; 32]).unwrap();
            *snp.sealing_key(context).unwrap().unwrap()
        };
        let reference = key(1, 0, 2, b"a");
        assert_eq!(reference, key(1, 0, 2, b"a"));
        for other in [
            key(9, 0, 2, b"a"),
            key(1, 1, 2, b"a"),
            key(1, 0, 9, b"a"),
            key(1, 0, 2, b"b"),
        ] {
            assert_ne!(reference, other);
        }
    }

    #[test]
    fn there_is_no_sealing_key_of_a_machine_whose_host_loaded_a_vlek() {
        fn signed_with(key: u8, registers: &Registers, data: &[u8], level: u8) -> Vec<u8> {
            let (mut report, _) = sign(registers, data, level);
            // AUTHOR_KEY_EN and MASK_CHIP_KEY beside it are none of it.
            report[0x48] = key << 2 | 0b11;
            report
        }
        fn vcek(registers: &Registers, data: &[u8], level: u8) -> (Vec<u8>, Vec<u8>) {
            (signed_with(0, registers, data, level), vec![])
        }
        fn vlek(registers: &Registers, data: &[u8], level: u8) -> (Vec<u8>, Vec<u8>) {
            (signed_with(1, registers, data, level), vec![])
        }
        fn none(registers: &Registers, data: &[u8], level: u8) -> (Vec<u8>, Vec<u8>) {
            (signed_with(7, registers, data, level), vec![])
        }
        let configured = |report| {
            let kernel = Kernel::new(Snp::PROVIDER, report);
            let (kernel, mut snp) = open(kernel, Processor::Sound { chip: 1 });
            snp.extend_config(&[0; 32]).unwrap();
            (kernel, snp)
        };
        assert!(configured(vcek).1.sealing_key(b"a").unwrap().is_some());
        for (report, expected) in [(vlek as fn(&_, &_, _) -> _, 1), (none, 7)] {
            let (_, snp) = configured(report);
            snp.quote(&[1; 64]).unwrap();
            let refused = snp.sealing_key(b"a").unwrap_err();
            assert!(
                matches!(refused, TeeError::SharedSealingKey { signing_key } if signing_key == expected),
                "{refused}"
            );
        }
    }

    #[test]
    fn a_vlek_that_is_loaded_while_the_key_is_derived_is_noticed() {
        /// What the host loads is in the registers, the one thing that changes here.
        fn by_register(registers: &Registers, data: &[u8], level: u8) -> (Vec<u8>, Vec<u8>) {
            let (mut report, table) = sign(registers, data, level);
            report[0x48] = u8::from(registers.rtmr.is_empty()) << 2;
            (report, table)
        }
        struct Loading(Arc<Kernel>);
        impl Device for Loading {
            fn exchange(
                &self,
                request: &[u8],
                limit: usize,
            ) -> Result<Zeroizing<Vec<u8>>, DeviceFault> {
                self.0.state().registers.rtmr.clear();
                Processor::Sound { chip: 1 }.exchange(request, limit)
            }
        }
        let kernel = Arc::new(Kernel::new(Snp::PROVIDER, by_register));
        let device = Arc::clone(&kernel);
        let open_device: OpenDevice =
            Box::new(move || Ok(Box::new(Loading(Arc::clone(&device))) as Box<dyn Device>));
        let mut snp = Snp::open(kernel, Patience::IMPATIENT, open_device).unwrap();
        snp.extend_config(&[0; 32]).unwrap();
        assert!(matches!(
            snp.sealing_key(b"a"),
            Err(TeeError::SharedSealingKey { signing_key: 1 })
        ));
    }

    #[test]
    fn there_is_no_sealing_key_before_the_configuration_is_fixed_and_it_is_fixed_once() {
        let (_, mut snp) = open(kernel(), Processor::Sound { chip: 1 });
        assert!(matches!(
            snp.sealing_key(b"a"),
            Err(TeeError::NotConfigured)
        ));
        snp.extend_config(&[0; 32]).unwrap();
        assert!(matches!(
            snp.extend_config(&[0; 32]),
            Err(TeeError::AlreadyConfigured)
        ));
    }

    #[test]
    fn a_secure_processor_that_refuses_is_quoted() {
        let refusal = |processor| {
            let (_, mut snp) = open(kernel(), processor);
            snp.extend_config(&[0; 32]).unwrap();
            snp.sealing_key(b"a").unwrap_err()
        };
        assert!(matches!(
            refusal(Processor::Status(0x16)),
            TeeError::SecureProcessor { status: 0x16 }
        ));
        assert!(matches!(
            refusal(Processor::Exit(2 << 32)),
            TeeError::GuestRequest { exit, .. } if exit == 2 << 32
        ));
        assert!(matches!(
            refusal(Processor::Short),
            TeeError::Malformed { .. }
        ));
    }

    #[test]
    fn a_guest_without_the_device_quotes_and_says_what_sealing_needs() {
        let open_device: OpenDevice = Box::new(|| Err(io::ErrorKind::NotFound.into()));
        let mut snp = Snp::open(Arc::new(kernel()), Patience::IMPATIENT, open_device).unwrap();
        snp.quote(&[1; 64]).unwrap();
        snp.extend_config(&[0; 32]).unwrap();
        let error = snp.sealing_key(b"a").unwrap_err();
        assert!(matches!(&error, TeeError::Missing { .. }), "{error}");
        assert!(error.to_string().contains("/dev/sev-guest"), "{error}");
    }

    #[test]
    fn a_report_of_another_size_is_refused() {
        fn long(registers: &Registers, report_data: &[u8], level: u8) -> (Vec<u8>, Vec<u8>) {
            let (mut report, table) = sign(registers, report_data, level);
            report.push(0);
            (report, table)
        }
        let open_device: OpenDevice = Box::new(|| Err(io::ErrorKind::NotFound.into()));
        let kernel = Arc::new(Kernel::new(Snp::PROVIDER, long));
        assert!(matches!(
            Snp::open(kernel, Patience::IMPATIENT, open_device),
            Err(TeeError::Malformed { .. })
        ));
    }

    #[test]
    fn a_racing_writer_costs_an_attempt() {
        let kernel = kernel().failing([Fault::RacingWriter, Fault::Busy]);
        let (kernel, snp) = open(kernel, Processor::Sound { chip: 1 });
        assert_eq!(kernel.state().entries_made.len(), 3);
        let evidence = snp.quote(&[3; 64]).unwrap();
        let report = SnpReport::parse(evidence.quote()).unwrap();
        assert_eq!(report.report_data, &[3; 64]);
    }
}
