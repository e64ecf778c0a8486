// SPDX-License-Identifier: Apache-2.0
//! How long to wait.

use std::time::Duration;

use clap::Args;
use subrosa_client::WaitOptions;

/// How long to wait for a result.
#[derive(Debug, Args)]
#[command(next_help_heading = "Waiting")]
pub(crate) struct WaitArgs {
    /// Give up after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    timeout: u64,
}

impl WaitArgs {
    pub(crate) fn options(&self) -> WaitOptions {
        WaitOptions {
            timeout: Duration::from_secs(self.timeout),
            ..WaitOptions::default()
        }
    }
}
