// SPDX-License-Identifier: Apache-2.0
//! Between the structs of the bindings and their one definition in `subrosa_types::abi`.

use alloy::primitives::aliases::U48;
use subrosa_types::{abi, price::Prices};

use crate::bindings::{SubrosaOracle, SubrosaRegistry};

/// Conversions in both directions between structs with the same fields. Both sides are taken
/// apart completely, so a field that is added to one does not compile.
macro_rules! same_fields {
    ($binding:ident :: $name:ident { $($field:ident),* $(,)? }) => {
        impl From<abi::$name> for $binding::$name {
            fn from(abi::$name { $($field),* }: abi::$name) -> Self {
                Self { $($field),* }
            }
        }

        impl From<$binding::$name> for abi::$name {
            fn from($binding::$name { $($field),* }: $binding::$name) -> Self {
                Self { $($field),* }
            }
        }
    };
}

same_fields!(SubrosaOracle::Entry {
    contractId,
    previousDigest,
    context,
    inputHash,
    execution,
    settlement,
    payment,
    refundTo,
});

same_fields!(SubrosaOracle::Outstanding {
    status,
    outputHash,
    held,
    since,
});

same_fields!(SubrosaRegistry::EpochOpening {
    keyGroup,
    keyEpoch,
    publicKeyHash,
    configHash,
    setHash,
    recovery,
});

same_fields!(SubrosaRegistry::EpochAcknowledgement {
    keyGroup,
    keyEpoch,
    record,
    holdsPrevious,
});

same_fields!(SubrosaRegistry::EpochMember {
    measurementId,
    configHash,
});

same_fields!(SubrosaRegistry::SignerAdmission {
    signer,
    transferKeyHash,
    measurementId,
    configHash,
    startHash,
    rootId,
    teeKind,
    product,
    machineId,
    tcbStatus,
    tcbEvaluation,
    policyHash,
    evidenceHash,
    challengeBlock,
    challengeBlockHash,
    registrant,
    notAfter,
});

impl From<Prices> for SubrosaOracle::PriceTable {
    fn from(prices: Prices) -> Self {
        Self {
            landing: prices.landing,
            record: prices.record,
            callback: prices.callback,
            signature: prices.signature,
            inputByte: prices.input_byte,
            outputByte: prices.output_byte,
            includedFuel: U48::saturating_from(prices.included_fuel),
            fuelPerGas: prices.fuel_per_gas,
            grace: prices.grace,
        }
    }
}
