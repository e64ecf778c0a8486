// SPDX-License-Identifier: Apache-2.0
//! ATTESTATION_REPORT of versions 2 to 5; 4 is laid out like 3.
//!
//! Source: SEV Secure Nested Paging Firmware ABI Specification (AMD 56860), revision 1.58, table
//! 23 (ATTESTATION_REPORT), and its predecessors; the format of signatures is in the same document.
//! Integers are little-endian.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use super::tcb::TcbVersion;

/// Size of a report.
pub(crate) const REPORT_BYTES: usize = 0x4A0;

/// How many of its bytes are signed.
pub(crate) const SIGNED_BYTES: usize = 0x2A0;

/// A report, parsed. Nothing in it is to be believed before its signature is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) version: u32,
    pub(super) guest_svn: u32,
    pub(super) policy: GuestPolicy,
    pub(super) family_id: [u8; 16],
    pub(super) image_id: [u8; 16],
    pub(super) vmpl: u32,
    pub(super) signature_algorithm: u32,
    pub(super) current_tcb: TcbVersion,
    pub(super) platform_info: u64,
    pub(super) key_info: KeyInfo,
    pub(super) report_data: [u8; 64],
    pub(super) measurement: [u8; 48],
    pub(super) host_data: [u8; 32],
    pub(super) id_key_digest: [u8; 48],
    pub(super) author_key_digest: [u8; 48],
    pub(super) report_id: [u8; 32],
    pub(super) report_id_ma: [u8; 32],
    pub(super) reported_tcb: TcbVersion,
    /// From version 3 on.
    pub(super) cpuid: Option<Cpuid>,
    pub(super) chip_id: [u8; 64],
    pub(super) committed_tcb: TcbVersion,
    pub(super) current_version: FirmwareVersion,
    pub(super) committed_version: FirmwareVersion,
    pub(super) launch_tcb: TcbVersion,
    /// LAUNCH_MIT_VECTOR and CURRENT_MIT_VECTOR, from version 5 on.
    pub(super) mitigations: Option<Mitigations>,
    /// Offset of the first reserved byte that is not zero, if there is one.
    pub(super) reserved: Option<usize>,
    pub(super) signature: Signature,
}

impl Report {
    /// Reads exactly one report.
    ///
    /// # Errors
    ///
    /// What is wrong, if it is not of [`REPORT_BYTES`] bytes or of an unknown version.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let found = bytes.len();
        let bytes: &[u8; REPORT_BYTES] = bytes.try_into().map_err(|_| format!("{found} bytes"))?;
        let mut fields = Fields {
            rest: bytes,
            offset: 0,
            reserved: None,
        };
        fields
            .report()
            .ok_or_else(|| "truncated".to_owned())
            .and_then(|report| match report.version {
                2..=5 => Ok(report),
                version => Err(format!("version {version}")),
            })
    }
}

/// POLICY of the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GuestPolicy(pub(super) u64);

impl GuestPolicy {
    /// Bit 17 is reserved and one; nothing is defined above bit 25, PAGE_SWAP_DISABLE.
    pub(super) fn is_defined(self) -> bool {
        self.0 & (1 << 17) != 0 && self.0 >> 26 == 0
    }

    /// MIGRATE_MA: a migration agent may be associated.
    pub(super) fn migratable(self) -> bool {
        self.0 & (1 << 18) != 0
    }

    /// DEBUG: the host may read and change the guest.
    pub(super) fn debug(self) -> bool {
        self.0 & (1 << 19) != 0
    }
}

/// The word at 0x48 that says which key signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyInfo(pub(super) u32);

impl KeyInfo {
    /// AUTHOR_KEY_EN: AUTHOR_KEY_DIGEST is there.
    pub(super) fn author_key(self) -> bool {
        self.0 & 1 != 0
    }

    /// MASK_CHIP_KEY: the platform does not use its VCEK for reports.
    pub(super) fn masks_chip_key(self) -> bool {
        self.0 & 2 != 0
    }

    /// SIGNING_KEY: 0 VCEK, 1 VLEK, 7 none.
    pub(super) fn signing_key(self) -> u32 {
        (self.0 >> 2) & 7
    }

    /// Bits 5 and above are reserved.
    pub(super) fn is_defined(self) -> bool {
        self.0 >> 5 == 0
    }
}

/// The processor (CPUID Fn0000_0001 EAX), extended parts included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cpuid {
    pub(super) family: u8,
    pub(super) model: u8,
    pub(super) stepping: u8,
}

/// Version of the SNP firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FirmwareVersion {
    pub(super) major: u8,
    pub(super) minor: u8,
    pub(super) build: u8,
}

/// Vectors of verified mitigations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mitigations {
    pub(super) launch: u64,
    pub(super) current: u64,
}

/// ECDSA P-384: R and S, little-endian, zero-extended to 72 bytes each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signature {
    r: [u8; 72],
    s: [u8; 72],
    padding: bool,
}

impl Signature {
    /// R ‖ S, 48 bytes each, big-endian (IEEE P1363). `None` if either is longer or if anything
    /// but zeros follows.
    pub(super) fn fixed(&self) -> Option<[u8; 96]> {
        let mut fixed = [0; 96];
        let (r, s) = fixed.split_at_mut(48);
        for (number, to) in [(&self.r, r), (&self.s, s)] {
            let (low, high) = number.split_at(48);
            if high.iter().any(|byte| *byte != 0) {
                return None;
            }
            to.copy_from_slice(low);
            to.reverse();
        }
        self.padding.then_some(fixed)
    }
}

/// Takes fields off the front.
struct Fields<'a> {
    rest: &'a [u8],
    offset: usize,
    reserved: Option<usize>,
}

impl Fields<'_> {
    fn report(&mut self) -> Option<Report> {
        let version = u32::from_le_bytes(self.take()?);
        let guest_svn = u32::from_le_bytes(self.take()?);
        let policy = GuestPolicy(u64::from_le_bytes(self.take()?));
        let (family_id, image_id) = (self.take()?, self.take()?);
        let vmpl = u32::from_le_bytes(self.take()?);
        let signature_algorithm = u32::from_le_bytes(self.take()?);
        let current_tcb = TcbVersion(self.take()?);
        let platform_info = u64::from_le_bytes(self.take()?);
        let key_info = KeyInfo(u32::from_le_bytes(self.take()?));
        self.skip(4)?;
        let report_data = self.take()?;
        let measurement = self.take()?;
        let host_data = self.take()?;
        let (id_key_digest, author_key_digest) = (self.take()?, self.take()?);
        let (report_id, report_id_ma) = (self.take()?, self.take()?);
        let reported_tcb = TcbVersion(self.take()?);
        let cpuid = if version >= 3 {
            let [family, model, stepping] = self.take()?;
            self.skip(21)?;
            Some(Cpuid {
                family,
                model,
                stepping,
            })
        } else {
            self.skip(24)?;
            None
        };
        let chip_id = self.take()?;
        let committed_tcb = TcbVersion(self.take()?);
        let current_version = self.firmware_version()?;
        let committed_version = self.firmware_version()?;
        let launch_tcb = TcbVersion(self.take()?);
        let mitigations = if version >= 5 {
            let (launch, current) = (self.take()?, self.take()?);
            Some(Mitigations {
                launch: u64::from_le_bytes(launch),
                current: u64::from_le_bytes(current),
            })
        } else {
            self.skip(16)?;
            None
        };
        self.skip(152)?;
        let reserved = self.reserved;
        let (r, s) = (self.take()?, self.take()?);
        let padding = self.rest.iter().all(|byte| *byte == 0);
        Some(Report {
            version,
            guest_svn,
            policy,
            family_id,
            image_id,
            vmpl,
            signature_algorithm,
            current_tcb,
            platform_info,
            key_info,
            report_data,
            measurement,
            host_data,
            id_key_digest,
            author_key_digest,
            report_id,
            report_id_ma,
            reported_tcb,
            cpuid,
            chip_id,
            committed_tcb,
            current_version,
            committed_version,
            launch_tcb,
            mitigations,
            reserved,
            signature: Signature { r, s, padding },
        })
    }

    fn firmware_version(&mut self) -> Option<FirmwareVersion> {
        let [build, minor, major] = self.take()?;
        self.skip(1)?;
        Some(FirmwareVersion {
            major,
            minor,
            build,
        })
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        self.offset += N;
        Some(*taken)
    }

    /// Leaves reserved bytes out, and remembers the first that is not zero.
    fn skip(&mut self, count: usize) -> Option<()> {
        let (skipped, rest) = self.rest.split_at_checked(count)?;
        if let (Some(index), None) = (skipped.iter().position(|byte| *byte != 0), self.reserved) {
            self.reserved = Some(self.offset + index);
        }
        self.rest = rest;
        self.offset += count;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterned(version: u8) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..REPORT_BYTES).map(|index| (index / 8) as u8).collect();
        bytes[..4].copy_from_slice(&[version, 0, 0, 0]);
        bytes
    }

    #[test]
    fn fields_are_read_at_the_offsets_of_the_specification() {
        let report = Report::parse(&patterned(5)).unwrap();
        assert_eq!(report.guest_svn, 0);
        assert_eq!(report.policy.0, 0x0101_0101_0101_0101);
        assert_eq!(
            report.family_id,
            [2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3]
        );
        assert_eq!(report.vmpl, 0x0606_0606);
        assert_eq!(report.signature_algorithm, 0x0606_0606);
        assert_eq!(report.current_tcb.0, [0x38 / 8; 8]);
        assert_eq!(report.platform_info, 0x0808_0808_0808_0808);
        assert_eq!(report.key_info.0, 0x0909_0909);
        assert_eq!(report.report_data[0], 0x50 / 8);
        assert_eq!(report.measurement[0], 0x90 / 8);
        assert_eq!(report.host_data[0], 0xC0 / 8);
        assert_eq!(report.id_key_digest[0], 0xE0 / 8);
        assert_eq!(report.author_key_digest[0], (0x110 / 8) as u8);
        assert_eq!(report.report_id[0], (0x140 / 8) as u8);
        assert_eq!(report.report_id_ma[0], (0x160 / 8) as u8);
        assert_eq!(report.reported_tcb.0, [(0x180 / 8) as u8; 8]);
        let cpuid = report.cpuid.unwrap();
        assert_eq!(
            (cpuid.family, cpuid.model, cpuid.stepping),
            (0x31, 0x31, 0x31)
        );
        assert_eq!(report.chip_id[0], (0x1A0 / 8) as u8);
        assert_eq!(report.committed_tcb.0, [(0x1E0 / 8) as u8; 8]);
        assert_eq!(report.current_version.build, (0x1E8 / 8) as u8);
        assert_eq!(report.launch_tcb.0, [(0x1F0 / 8) as u8; 8]);
        let mitigations = report.mitigations.unwrap();
        assert_eq!(mitigations.launch.to_le_bytes(), [(0x1F8 / 8) as u8; 8]);
        assert_eq!(mitigations.current.to_le_bytes(), [(0x200 / 8) as u8; 8]);
        assert_eq!(report.signature.r[0], (0x2A0 / 8) as u8);
        assert_eq!(report.signature.s[0], (0x2E8 / 8) as u8);
        assert_eq!(report.reserved, Some(0x4C));
    }

    #[test]
    fn older_versions_have_reserved_bytes_where_younger_ones_have_fields() {
        let two = Report::parse(&patterned(2)).unwrap();
        assert_eq!((two.cpuid, two.mitigations), (None, None));
        assert_eq!(two.chip_id[0], (0x1A0 / 8) as u8);
        let three = Report::parse(&patterned(3)).unwrap();
        assert!(three.cpuid.is_some());
        assert_eq!(three.mitigations, None);
        let mut zero = [0; REPORT_BYTES];
        let reserved = [
            (2, 0x188),
            (3, 0x18B),
            (3, 0x1F8),
            (4, 0x1F8),
            (5, 0x208),
            (5, 0x29F),
        ];
        for (version, offset) in reserved {
            zero[0] = version;
            assert_eq!(Report::parse(&zero).unwrap().reserved, None);
            zero[offset] = 1;
            assert_eq!(Report::parse(&zero).unwrap().reserved, Some(offset));
            zero[offset] = 0;
        }
    }

    #[test]
    fn other_sizes_and_versions_are_no_reports() {
        for length in [0, REPORT_BYTES - 1, REPORT_BYTES + 1, 4000] {
            assert_eq!(
                Report::parse(&vec![2; length]),
                Err(format!("{length} bytes"))
            );
        }
        for version in [0, 1, 6, 255] {
            assert_eq!(
                Report::parse(&patterned(version)),
                Err(format!("version {version}"))
            );
        }
    }

    #[test]
    fn a_number_longer_than_the_curve_is_no_signature() {
        let mut bytes = [0; REPORT_BYTES];
        bytes[0] = 2;
        bytes[SIGNED_BYTES] = 1;
        bytes[SIGNED_BYTES + 72] = 2;
        let fixed = Report::parse(&bytes).unwrap().signature.fixed().unwrap();
        assert_eq!((fixed[47], fixed[95]), (1, 2));
        for offset in [48, 71, 72 + 48, 72 + 71, 144, 511] {
            bytes[SIGNED_BYTES + offset] = 1;
            assert_eq!(Report::parse(&bytes).unwrap().signature.fixed(), None);
            bytes[SIGNED_BYTES + offset] = 0;
        }
    }
}
