// SPDX-License-Identifier: Apache-2.0
//! What is fetched: the key of the cache and the address at the vendor.

use std::fmt;

use reqwest::Url;

use crate::amd::chip::{AmdKey, AmdProduct, Vcek};
use crate::config::{Urls, under};
use crate::intel::{IntelCa, IntelFamily, IntelTee};

/// Something that a vendor publishes, perhaps in ever new editions, named by everything that
/// decides what it is about.
///
/// Intel: SGX and TDX Provisioning Certification Service API, version 4. AMD: Versioned Chip
/// Endorsement Key Certificate and KDS Interface Specification, publication 57230, chapter 4.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Publication {
    TcbInfo { tee: IntelTee, fmspc: [u8; 6] },
    QeIdentity { tee: IntelTee },
    PckCrl { ca: IntelCa },
    IntelRootCrl,
    AmdChain { product: AmdProduct, key: AmdKey },
    AmdCrl { product: AmdProduct, key: AmdKey },
    Vcek(Vcek),
}

/// The service that is asked. Each fails by itself.
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

impl Publication {
    /// What Intel publishes about a family of platforms: TCB info, QE identity, the list of the
    /// PCK certificates' authority, the root's list.
    pub(crate) fn of_family(family: &IntelFamily) -> [Self; 4] {
        let IntelFamily { tee, fmspc, ca } = *family;
        [
            Self::TcbInfo { tee, fmspc },
            Self::QeIdentity { tee },
            Self::PckCrl { ca },
            Self::IntelRootCrl,
        ]
    }

    /// The service that publishes it.
    pub(crate) fn source(&self) -> Source {
        match self {
            Self::TcbInfo { .. } | Self::QeIdentity { .. } | Self::PckCrl { .. } => Source::Intel,
            Self::IntelRootCrl => Source::IntelRoot,
            Self::AmdChain { .. } | Self::AmdCrl { .. } | Self::Vcek(_) => Source::Amd,
        }
    }

    /// Where it is published.
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

    /// The publication that holds the certificates of this one's issuer, where the answer does not.
    pub(crate) fn issuer(&self) -> Option<Self> {
        match self {
            Self::Vcek(vcek) => Some(Self::AmdChain {
                product: vcek.product,
                key: AmdKey::Vcek,
            }),
            _ => None,
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

/// For logs. A chip is shown by its first four bytes.
impl fmt::Display for Publication {
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
    use std::sync::Arc;

    use super::*;
    use crate::CollateralConfig;
    use crate::amd::chip::Firmware;

    fn url(publication: &Publication) -> String {
        let config = CollateralConfig {
            intel_url: "https://pccs.example/".to_owned(),
            amd_url: "https://kds.example/mirror".to_owned(),
            ..CollateralConfig::default()
        };
        publication.url(&config.urls().unwrap()).to_string()
    }

    #[test]
    fn addresses_are_those_of_the_vendors_interfaces() {
        let fmspc = [0xb0, 0xc0, 0x6f, 0, 0, 0];
        let tee = IntelTee::Tdx;
        assert_eq!(
            url(&Publication::TcbInfo { tee, fmspc }),
            "https://pccs.example/tdx/certification/v4/tcb?fmspc=B0C06F000000"
        );
        assert_eq!(
            url(&Publication::QeIdentity { tee: IntelTee::Sgx }),
            "https://pccs.example/sgx/certification/v4/qe/identity"
        );
        let ca = IntelCa::Platform;
        assert_eq!(
            url(&Publication::PckCrl { ca }),
            "https://pccs.example/sgx/certification/v4/pckcrl?ca=platform&encoding=der"
        );
        let (product, key) = (AmdProduct::Genoa, AmdKey::Vlek);
        assert_eq!(
            url(&Publication::AmdCrl { product, key }),
            "https://kds.example/mirror/vlek/v1/Genoa/crl"
        );
        let vcek = |product, tcb| {
            url(&Publication::Vcek(Vcek {
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
}
