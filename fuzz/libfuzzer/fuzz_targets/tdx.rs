// SPDX-License-Identifier: Apache-2.0
#![no_main]

subrosa_libfuzzer::target!("tdx");
