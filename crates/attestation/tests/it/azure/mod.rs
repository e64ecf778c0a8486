// SPDX-License-Identifier: Apache-2.0
//! What clouds put between hardware and guest: the evidence of Azure confidential VMs, the TPM
//! quotes it rests on. Forged with faults, and genuine.

mod faults;
mod genuine;
mod json;
mod quote;
mod tpm;
mod vm;
