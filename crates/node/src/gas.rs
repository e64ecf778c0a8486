// SPDX-License-Identifier: Apache-2.0
//! How much gas a transaction with results is sent with.

use subrosa_types::entry::LARGEST_CALLBACK_GAS;

/// Gas of a transaction that carries whichever result alone: one with the largest callback that a
/// contract's policy can promise, and the longest data that an enclave signs. With less a log whose
/// next result is such a one would stand still.
pub(crate) const LARGEST_RESULT_GAS: u64 =
    BATCH_GAS + item(LARGEST_CALLBACK_GAS as u64, MAX_DATA_BYTES);

/// Gas that applying a result may take, with a callback of so much gas and data of so many bytes.
pub(crate) const fn item(callback: u64, data_bytes: u64) -> u64 {
    let calling = if callback == 0 { 0 } else { CALLBACK_GAS };
    with_reserve(callback) + calling + ITEM_GAS + BYTE_GAS * data_bytes
}

/// EIP-150: a call gets at most 63/64 of what there is.
const fn with_reserve(callback: u64) -> u64 {
    callback + callback / 63 + 1
}

/// Longest data of a result: 24 KiB of output sealed, padded to a power of two, and 2 KiB for the
/// encapsulated key, header and tag.
pub(crate) const MAX_DATA_BYTES: u64 = (32 + 2) * 1024;
/// Gas of a transaction besides its items: intrinsic, signature, registry, paying the sender, and
/// the 140,000 that the oracle wants to see left before the last item.
pub(crate) const BATCH_GAS: u64 = 350_000;
/// Gas of an item besides its data and its callback: fixed calldata at the floor price of EIP-7623
/// (10,000), hashing, the head at its first move (24,200), its slot and its log's word (4,200), the
/// event.
const ITEM_GAS: u64 = 50_000;
/// Gas of making a callback, besides what it is given: a cold callee, and recording a failure.
const CALLBACK_GAS: u64 = 40_000;
/// Gas per byte of an item's data: calldata at the floor price (40), the event and the callback.
const BYTE_GAS: u64 = 64;
