// SPDX-License-Identifier: Apache-2.0
//! How AMD names processors, their keys and their firmware.
//!
//! Source: publication 57230 (KDS), chapter 4.

use std::fmt;
use std::sync::Arc;

/// A family of AMD processors, as the key distribution service names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum AmdProduct {
    Milan,
    Genoa,
    Turin,
}

/// The key that signs reports: the chip's own, or one that a cloud loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum AmdKey {
    Vcek,
    Vlek,
}

/// A chip and its firmware.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Vcek {
    pub(crate) product: AmdProduct,
    /// CHIP_ID, 64 bytes; its first 8 from Turin on.
    pub(crate) chip: Arc<[u8]>,
    pub(crate) firmware: Firmware,
}

/// Security patch levels, REPORTED_TCB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Firmware {
    /// From Turin on.
    pub(crate) fmc: Option<u8>,
    pub(crate) bootloader: u8,
    pub(crate) tee: u8,
    pub(crate) snp: u8,
    pub(crate) microcode: u8,
}

impl AmdProduct {
    /// The product with this CPUID family and model (reports of version 3 and later).
    pub(crate) fn of_cpuid(family: u8, model: u8) -> Option<Self> {
        match (family, model) {
            (0x19, 0x00..=0x0f) => Some(Self::Milan),
            (0x19, 0x10..=0x1f | 0xa0..=0xaf) => Some(Self::Genoa),
            (0x1a, 0x00..=0x1f) => Some(Self::Turin),
            _ => None,
        }
    }

    /// The product that a certificate's extension names: `Genoa`, `Milan-B0`, ….
    pub(crate) fn of_name(name: &[u8]) -> Option<Self> {
        [
            (&b"Milan"[..], Self::Milan),
            (b"Genoa", Self::Genoa),
            (b"Bergamo", Self::Genoa),
            (b"Siena", Self::Genoa),
            (b"Turin", Self::Turin),
        ]
        .into_iter()
        .find(|(prefix, _)| name.starts_with(prefix))
        .map(|(_, product)| product)
    }
}

impl Firmware {
    /// Reads TCB_VERSION (SEV-SNP ABI specification 1.58, table 3; the order differs from Turin
    /// on).
    pub(crate) fn read(product: AmdProduct, tcb: [u8; 8]) -> Self {
        match product {
            AmdProduct::Turin => {
                let [fmc, bootloader, tee, snp, _, _, _, microcode] = tcb;
                Self {
                    fmc: Some(fmc),
                    bootloader,
                    tee,
                    snp,
                    microcode,
                }
            }
            AmdProduct::Milan | AmdProduct::Genoa => {
                let [bootloader, tee, _, _, _, _, snp, microcode] = tcb;
                Self {
                    fmc: None,
                    bootloader,
                    tee,
                    snp,
                    microcode,
                }
            }
        }
    }

    /// How the key distribution service takes it.
    pub(crate) fn query(&self) -> String {
        let fmc = match self.fmc {
            Some(fmc) => format!("fmcSPL={fmc:02}&"),
            None => String::new(),
        };
        format!(
            "{fmc}blSPL={:02}&teeSPL={:02}&snpSPL={:02}&ucodeSPL={:02}",
            self.bootloader, self.tee, self.snp, self.microcode
        )
    }
}

impl fmt::Display for AmdProduct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Milan => "Milan",
            Self::Genoa => "Genoa",
            Self::Turin => "Turin",
        })
    }
}

impl fmt::Display for AmdKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vcek => "vcek",
            Self::Vlek => "vlek",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_told_by_cpuid_and_by_name() {
        for (family, model, product) in [
            (0x19, 0x01, Some(AmdProduct::Milan)),
            (0x19, 0x11, Some(AmdProduct::Genoa)),
            (0x19, 0xa0, Some(AmdProduct::Genoa)),
            (0x1a, 0x02, Some(AmdProduct::Turin)),
            (0x1a, 0x1f, Some(AmdProduct::Turin)),
            (0x1a, 0x20, None),
            (0x1a, 0x50, None),
            (0x17, 0x31, None),
        ] {
            assert_eq!(AmdProduct::of_cpuid(family, model), product);
        }
        assert_eq!(AmdProduct::of_name(b"Milan-B0"), Some(AmdProduct::Milan));
        assert_eq!(AmdProduct::of_name(b"Rome"), None);
    }
}
