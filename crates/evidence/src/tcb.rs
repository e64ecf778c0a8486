// SPDX-License-Identifier: Apache-2.0
//! How up to date a platform is.

use core::fmt;

use serde::{Deserialize, Serialize};

/// How up to date a platform is, in Intel's words; the number is the one in admissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum TcbStatus {
    /// Nothing to do.
    UpToDate = 1,
    /// Software inside the TEE must mitigate something.
    #[serde(rename = "SWHardeningNeeded")]
    SwHardeningNeeded = 2,
    /// The platform's configuration must change.
    ConfigurationNeeded = 3,
    /// Both.
    #[serde(rename = "ConfigurationAndSWHardeningNeeded")]
    ConfigurationAndSwHardeningNeeded = 4,
    /// Firmware or microcode must be updated.
    OutOfDate = 5,
    /// Updated and configured.
    OutOfDateConfigurationNeeded = 6,
    /// The TD started on an outdated TCB that has since been updated.
    #[serde(rename = "TDRelaunchAdvised")]
    TdRelaunchAdvised = 7,
    /// The same, and the configuration must change.
    #[serde(rename = "TDRelaunchAdvisedConfigurationNeeded")]
    TdRelaunchAdvisedConfigurationNeeded = 8,
}

impl fmt::Display for TcbStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UpToDate => "UpToDate",
            Self::SwHardeningNeeded => "SWHardeningNeeded",
            Self::ConfigurationNeeded => "ConfigurationNeeded",
            Self::ConfigurationAndSwHardeningNeeded => "ConfigurationAndSWHardeningNeeded",
            Self::OutOfDate => "OutOfDate",
            Self::OutOfDateConfigurationNeeded => "OutOfDateConfigurationNeeded",
            Self::TdRelaunchAdvised => "TDRelaunchAdvised",
            Self::TdRelaunchAdvisedConfigurationNeeded => "TDRelaunchAdvisedConfigurationNeeded",
        })
    }
}
