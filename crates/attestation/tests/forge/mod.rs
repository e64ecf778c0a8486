// SPDX-License-Identifier: Apache-2.0
//! Evidence of every kind that this crate can judge, forged or genuine, for whatever needs
//! evidence rather than one particular fault: the benchmark and the fuzz targets.

pub(crate) mod nitro;
pub(crate) mod samples;
pub(crate) mod sgx;
pub(crate) mod snp;
