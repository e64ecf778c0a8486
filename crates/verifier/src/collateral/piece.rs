// SPDX-License-Identifier: Apache-2.0
//! What is fetched: the key of the cache and the address at the vendor.

use std::fmt;
use std::sync::Arc;

use reqwest::Url;

use crate::config::{Urls, under};

/// One piece of collateral, named by everything that decides its content.
///
/// Intel: SGX and TDX Provisioning Certification Service API, version 4. AMD: Versioned Chip
/// Endorsement Key Certificate and KDS Interface Specification, publication 57230, chapter 4.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Piece {
    TcbInfo { tee: IntelTee, fmspc: [u8; 6] },
    QeIdentity { tee: IntelTee },
    PckCrl { ca: IntelCa },
    IntelRootCrl,
    AmdChain { product: AmdProduct, key: AmdKey },
    AmdCrl { product: AmdProduct, key: AmdKey },
    Vcek(Vcek),
}

/// Which of Intel's TEEs collateral is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntelTee {
    /// SGX.
    Sgx,
    /// TDX.
    Tdx,
}

/// Which of Intel's authorities issued a PCK certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntelCa {
    /// Of processors that stand alone.
    Processor,
    /// Of platforms with several.
    Platform,
}

/// A family of AMD processors, as the key distribution service names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum AmdProduct {
    Milan,
    Genoa,
    Turin,
}

/// Which key signs reports: the chip's or the one loaded by a cloud.
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

/// Who is asked. Each fails by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    Intel,
    IntelRoot,
    Amd,
}

impl Source {
    pub(crate) const ALL: [Self; 3] = [Self::Intel, Self::IntelRoot, Self::Amd];

    /// Its name in logs and metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Intel => "intel",
            Self::IntelRoot => "intel-root",
            Self::Amd => "amd",
        }
    }
}

impl Piece {
    pub(crate) fn source(&self) -> Source {
        match self {
            Self::TcbInfo { .. } | Self::QeIdentity { .. } | Self::PckCrl { .. } => Source::Intel,
            Self::IntelRootCrl => Source::IntelRoot,
            Self::AmdChain { .. } | Self::AmdCrl { .. } | Self::Vcek(_) => Source::Amd,
        }
    }

    /// Where it is.
    pub(crate) fn url(&self, urls: &Urls) -> Url {
        let intel = |tee: IntelTee, path: &str| {
            under(&urls.intel, &format!("{tee}/certification/v4/{path}"))
        };
        let amd = |key: AmdKey, product: AmdProduct, path: &str| {
            under(&urls.amd, &format!("{key}/v1/{product}/{path}"))
        };
        match self {
            Self::TcbInfo { tee, fmspc } => {
                let mut url = intel(*tee, "tcb");
                url.set_query(Some(&format!("fmspc={}", hex::encode_upper(fmspc))));
                url
            }
            Self::QeIdentity { tee } => intel(*tee, "qe/identity"),
            Self::PckCrl { ca } => {
                let mut url = intel(IntelTee::Sgx, "pckcrl");
                url.set_query(Some(&format!("ca={ca}&encoding=der")));
                url
            }
            Self::IntelRootCrl => urls.intel_root_crl.clone(),
            Self::AmdChain { product, key } => amd(*key, *product, "cert_chain"),
            Self::AmdCrl { product, key } => amd(*key, *product, "crl"),
            Self::Vcek(vcek) => {
                let mut url = amd(AmdKey::Vcek, vcek.product, &hex::encode(&vcek.chip));
                url.set_query(Some(&vcek.firmware.query()));
                url
            }
        }
    }

    /// The response headers that may hold its issuers' certificates, the usual one first.
    pub(crate) fn chain_headers(&self) -> &'static [&'static str] {
        match self {
            Self::TcbInfo { .. } => &["TCB-Info-Issuer-Chain", "SGX-TCB-Info-Issuer-Chain"],
            Self::QeIdentity { .. } => &["SGX-Enclave-Identity-Issuer-Chain"],
            Self::PckCrl { .. } => &["SGX-PCK-CRL-Issuer-Chain"],
            _ => &[],
        }
    }

    /// Largest response, bytes. Genuine ones have 3 to 6 KiB; a revocation list grows.
    pub(crate) fn limit(&self) -> usize {
        match self {
            Self::TcbInfo { .. } => 64 * 1024,
            Self::PckCrl { .. } | Self::IntelRootCrl | Self::AmdCrl { .. } => 48 * 1024,
            Self::QeIdentity { .. } | Self::AmdChain { .. } => 16 * 1024,
            Self::Vcek(_) => 8 * 1024,
        }
    }

    /// Whether the vendor publishes it again and again under the same name.
    pub(crate) fn changes(&self) -> bool {
        !matches!(self, Self::AmdChain { .. } | Self::Vcek(_))
    }

    /// Whether it is one of many, named by evidence that nobody has verified yet.
    pub(crate) fn is_of_a_machine(&self) -> bool {
        matches!(self, Self::Vcek(_))
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

    fn query(&self) -> String {
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

impl fmt::Display for IntelTee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sgx => "sgx",
            Self::Tdx => "tdx",
        })
    }
}

impl fmt::Display for IntelCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Processor => "processor",
            Self::Platform => "platform",
        })
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

/// For logs. A chip is shown by its first four bytes.
impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TcbInfo { tee, fmspc } => write!(f, "{tee} tcb-info {}", hex::encode(fmspc)),
            Self::QeIdentity { tee } => write!(f, "{tee} qe-identity"),
            Self::PckCrl { ca } => write!(f, "pck-crl {ca}"),
            Self::IntelRootCrl => f.write_str("root-crl"),
            Self::AmdChain { product, key } => write!(f, "{key} chain {product}"),
            Self::AmdCrl { product, key } => write!(f, "{key} crl {product}"),
            Self::Vcek(Vcek { product, chip, .. }) => {
                let chip = chip.get(..4).unwrap_or_default();
                write!(f, "vcek {product} {}…", hex::encode(chip))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CollateralConfig;

    fn url(piece: &Piece) -> String {
        let config = CollateralConfig {
            intel_url: "https://pccs.example/".to_owned(),
            amd_url: "https://kds.example/mirror".to_owned(),
            ..CollateralConfig::default()
        };
        piece.url(&config.urls().unwrap()).to_string()
    }

    #[test]
    fn addresses_are_those_of_the_vendors_interfaces() {
        let fmspc = [0xb0, 0xc0, 0x6f, 0, 0, 0];
        let tee = IntelTee::Tdx;
        assert_eq!(
            url(&Piece::TcbInfo { tee, fmspc }),
            "https://pccs.example/tdx/certification/v4/tcb?fmspc=B0C06F000000"
        );
        assert_eq!(
            url(&Piece::QeIdentity { tee: IntelTee::Sgx }),
            "https://pccs.example/sgx/certification/v4/qe/identity"
        );
        let ca = IntelCa::Platform;
        assert_eq!(
            url(&Piece::PckCrl { ca }),
            "https://pccs.example/sgx/certification/v4/pckcrl?ca=platform&encoding=der"
        );
        let (product, key) = (AmdProduct::Genoa, AmdKey::Vlek);
        assert_eq!(
            url(&Piece::AmdCrl { product, key }),
            "https://kds.example/mirror/vlek/v1/Genoa/crl"
        );
        let vcek = |product, tcb| {
            url(&Piece::Vcek(Vcek {
                product,
                chip: Arc::from([0xab; 8]),
                firmware: Firmware::read(product, tcb),
            }))
        };
        assert_eq!(
            vcek(AmdProduct::Genoa, [10, 1, 0, 0, 0, 0, 25, 84]),
            "https://kds.example/mirror/vcek/v1/Genoa/abababababababab?blSPL=10&teeSPL=01&\
             snpSPL=25&ucodeSPL=84"
        );
        assert_eq!(
            vcek(AmdProduct::Turin, [1, 2, 3, 4, 0, 0, 0, 80]),
            "https://kds.example/mirror/vcek/v1/Turin/abababababababab?fmcSPL=01&blSPL=02&\
             teeSPL=03&snpSPL=04&ucodeSPL=80"
        );
    }

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
