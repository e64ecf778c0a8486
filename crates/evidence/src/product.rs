// SPDX-License-Identifier: Apache-2.0
//! Families of hardware, and the root that the vendor signs each of them under.

use core::fmt;

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use crate::{
    AMD_GENOA_ROOT_ID, AMD_MILAN_ROOT_ID, AMD_TURIN_ROOT_ID, AWS_NITRO_ROOT_ID, INTEL_SGX_ROOT_ID,
};

/// A family of hardware.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Product {
    /// Intel processors with SGX, seen from an enclave.
    IntelSgx = 1,
    /// Intel processors with TDX, seen from a TD.
    IntelTdx = 2,
    /// AMD EPYC 7003.
    Milan = 3,
    /// AMD EPYC 9004 and 8004, Bergamo and Siena included.
    Genoa = 4,
    /// AMD EPYC 9005.
    Turin = 5,
    /// AWS Nitro.
    Nitro = 6,
}

impl Product {
    /// Every product.
    pub const ALL: [Self; 6] = [
        Self::IntelSgx,
        Self::IntelTdx,
        Self::Milan,
        Self::Genoa,
        Self::Turin,
        Self::Nitro,
    ];

    /// Intel's.
    pub const INTEL: [Self; 2] = [Self::IntelSgx, Self::IntelTdx];

    /// AMD's.
    pub const AMD: [Self; 3] = [Self::Milan, Self::Genoa, Self::Turin];

    /// The product of an AMD processor, by the family and model that CPUID leaf 1 states, and
    /// reports since version 3 (family 19h: Zen 3 and 4, 1Ah: Zen 5). Genoa's include Bergamo and
    /// Siena, Turin's the dense ones.
    pub const fn of_amd(family: u8, model: u8) -> Option<Self> {
        match (family, model) {
            (0x19, 0x00..=0x0f) => Some(Self::Milan),
            (0x19, 0x10..=0x1f | 0xa0..=0xaf) => Some(Self::Genoa),
            (0x1a, 0x00..=0x1f) => Some(Self::Turin),
            _ => None,
        }
    }

    /// The root that its vendor signs it under.
    pub const fn root_id(self) -> B256 {
        match self {
            Self::IntelSgx | Self::IntelTdx => INTEL_SGX_ROOT_ID,
            Self::Milan => AMD_MILAN_ROOT_ID,
            Self::Genoa => AMD_GENOA_ROOT_ID,
            Self::Turin => AMD_TURIN_ROOT_ID,
            Self::Nitro => AWS_NITRO_ROOT_ID,
        }
    }

    /// Its name in policies and verdicts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IntelSgx => "intel-sgx",
            Self::IntelTdx => "intel-tdx",
            Self::Milan => "milan",
            Self::Genoa => "genoa",
            Self::Turin => "turin",
            Self::Nitro => "nitro",
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_find_their_product() {
        for (family, model, product) in [
            (0x19, 0x00, Some(Product::Milan)),
            (0x19, 0x01, Some(Product::Milan)),
            (0x19, 0x11, Some(Product::Genoa)),
            (0x19, 0xa0, Some(Product::Genoa)),
            (0x1a, 0x02, Some(Product::Turin)),
            (0x1a, 0x1f, Some(Product::Turin)),
            (0x1a, 0x20, None),
            (0x17, 0x31, None),
        ] {
            assert_eq!(Product::of_amd(family, model), product);
        }
    }
}
