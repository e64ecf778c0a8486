// SPDX-License-Identifier: Apache-2.0
//! What a guest sees of chain, block and transaction.

use alloy_primitives::{Address, Bytes, TxKind, U256};
use revm::{
    context::{BlockEnv, CfgEnv, TxEnv},
    context_interface::block::BlobExcessGasAndPrice,
};

use subrosa_vm::{Call, host};

use crate::context::{SPEC, TransactionKind};

pub(crate) fn configuration(call: &Call<'_>) -> CfgEnv {
    let limits = call.runtime.limits;
    let mut configuration = CfgEnv::new_with_spec(SPEC);
    configuration.chain_id = call.chain_id;
    configuration.limit_contract_code_size = Some(limits.max_code);
    configuration.limit_contract_initcode_size = Some(limits.max_init_code);
    // The table limits fuel; the cap of EIP-7825 is Ethereum's own.
    configuration.tx_gas_limit_cap = Some(u64::MAX);
    configuration.memory_limit = limits.max_memory;
    configuration
}

pub(crate) fn block(call: &Call<'_>) -> BlockEnv {
    BlockEnv {
        number: U256::from(call.block_number),
        beneficiary: Address::ZERO,
        timestamp: U256::from(call.block_timestamp),
        gas_limit: call.runtime.limits.max_fuel,
        basefee: 0,
        difficulty: U256::ZERO,
        prevrandao: Some(host::prevrandao(call.randomness)),
        blob_excess_gas_and_price: Some(BlobExcessGasAndPrice {
            excess_blob_gas: 0,
            blob_gasprice: 1,
        }),
        slot_num: 0,
    }
}

pub(crate) fn transaction(
    call: &Call<'_>,
    kind: TransactionKind,
    data: Bytes,
    fuel_limit: u64,
) -> TxEnv {
    TxEnv {
        caller: call.caller,
        gas_limit: fuel_limit,
        gas_price: 0,
        // What starting costs is decided by the kind.
        kind: if kind.installs_code() {
            TxKind::Create
        } else {
            TxKind::Call(call.contract)
        },
        value: U256::ZERO,
        data,
        chain_id: Some(call.chain_id),
        ..TxEnv::default()
    }
}
