// SPDX-License-Identifier: Apache-2.0
//! How Intel tells platforms apart.

use std::fmt;

/// A family of Intel's platforms, as the provisioning certification service names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IntelFamily {
    /// The TEE that they are used as.
    pub tee: IntelTee,
    /// Family, model, stepping, platform type and custom SKU.
    pub fmspc: [u8; 6],
    /// The authority that issued their PCK certificates.
    pub ca: IntelCa,
}

/// The TEE that collateral is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntelTee {
    /// Software Guard Extensions.
    Sgx,
    /// Trust Domain Extensions.
    Tdx,
}

/// The authority that issued a PCK certificate: one of two below Intel's root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntelCa {
    /// For platforms with a single processor package.
    Processor,
    /// For platforms with several.
    Platform,
}

impl IntelCa {
    /// The authority with this common name: `Intel SGX PCK Platform CA`, or the like below a root of
    /// one's own.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        if name.ends_with("PCK Processor CA") {
            Some(Self::Processor)
        } else if name.ends_with("PCK Platform CA") {
            Some(Self::Platform)
        } else {
            None
        }
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
