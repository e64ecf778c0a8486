// SPDX-License-Identifier: Apache-2.0
//! Decimal numbers, and what requests cost.

use alloy_primitives::U256;
use serde_json::{Value, json};
use subrosa_types::{
    decimal::Decimal,
    log::LogWord,
    price::{Asked, Prices},
};

use crate::{
    draw::Draw,
    vectors::cases,
    words::{decimal, word},
};

/// `charge` and `floor` are `value` packed in the two widths, the others what those stand for.
pub(crate) fn decimals() -> Value {
    let mut draw = Draw::new("decimal");
    cases(|index| {
        let value = draw.bits(64) >> (16 * index);
        let (charge, floor) = (Decimal::CHARGE.pack(value), Decimal::FLOOR.pack(value));
        json!({
            "value": decimal(value), "charge": decimal(charge), "floor": decimal(floor),
            "chargeValue": decimal(Decimal::unpack(charge)),
            "floorValue": decimal(Decimal::unpack(floor)),
        })
    })
}

/// Amounts of the parts are in gwei. The first has no charge, the second no callback, and the third is
/// priced at the floor.
pub(crate) fn quotes() -> Value {
    let mut draw = Draw::new("quote");
    cases(|index| {
        let prices = Prices {
            landing: draw.between(20_000, 60_000) as u32,
            record: draw.between(5_000, 30_000) as u32,
            callback: draw.between(5_000, 30_000) as u32,
            signature: draw.between(5_000, 15_000) as u16,
            input_byte: draw.between(1, 100) as u16,
            output_byte: draw.between(1, 100) as u16,
            included_fuel: draw.between(1_000_000, 10_000_000),
            fuel_per_gas: draw.between(1, 10_000) as u32,
            grace: draw.between(60, 600_000) as u32,
        };
        let charge = draw.bits(30);
        let floor = draw.between(1, if index == 2 { 1 << 50 } else { 1_000 });
        let log = LogWord {
            charge: Decimal::CHARGE.pack(if index == 0 { 0 } else { charge }) as u32,
            gas_price_floor: Decimal::FLOOR.pack(floor) as u16,
            base_fee_sixteenths: draw.between(16, 255) as u8,
            further_signers: draw.bits(4) as u8,
            ..LogWord::default()
        };
        let base_fee = draw.bits(if index == 2 { 2 } else { 38 });
        let callback_gas = draw.between(1, 10_000_000);
        let asked = Asked {
            input: draw.between(0, 120 << 10),
            output: draw.between(0, 1 << 20),
            callback_gas: if index == 1 { 0 } else { callback_gas },
            fuel: draw.between(0, 30_000_000),
            data_fee: U256::from(if index == 3 { draw.bits(50) } else { 0 }),
        };
        let parts = prices.parts(&log, base_fee.into(), &asked);
        json!({
            "prices": {
                "landing": decimal(prices.landing), "record": decimal(prices.record),
                "callback": decimal(prices.callback), "signature": decimal(prices.signature),
                "inputByte": decimal(prices.input_byte),
                "outputByte": decimal(prices.output_byte),
                "includedFuel": decimal(prices.included_fuel),
                "fuelPerGas": decimal(prices.fuel_per_gas), "grace": decimal(prices.grace),
            },
            "log": word(log.pack()), "baseFee": decimal(base_fee),
            "inputLength": decimal(asked.input), "outputLength": decimal(asked.output),
            "callbackGas": decimal(asked.callback_gas), "fuelLimit": decimal(asked.fuel),
            "dataFee": decimal(asked.data_fee),
            "landing": decimal(parts.landing), "callback": decimal(parts.callback),
            "charge": decimal(parts.charge), "fee": decimal(parts.wei()),
        })
    })
}
