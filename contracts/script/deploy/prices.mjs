// SPDX-License-Identifier: Apache-2.0
// How much gas is what (`PriceTable`): what the oracle prices requests by, fixed when it is deployed. Measured on
// mined transactions (`node script/gas.mjs --explain`), with room for what they vary by.

/** Gas prices of Ethereum after Fusaka. */
export const PRICES = {
  // A result alone in its transaction, without output: 62,000 with its callback's own 8,000.
  landing: 68_000,
  // A slot of its own for what is outstanding, and its event; a balance that its owner keeps empty.
  record: 38_000,
  // A cold account, the message, what the consumer base does before it is the consumer's turn.
  callback: 8_000,
  // Calldata, recovering the signer, its record.
  signature: 12_000,
  // Nothing on chain: for decrypting, storing and proving it.
  inputByte: 2,
  // The floor of calldata (EIP-7623).
  outputByte: 40,
  includedFuel: 10_000_000,
  fuelPerGas: 1_000,
  grace: 86_400,
};

/** Bits of each figure. */
const BITS = {
  landing: 32, record: 32, callback: 32, signature: 16, inputByte: 16,
  outputByte: 16, includedFuel: 48, fuelPerGas: 32, grace: 32,
};

/** What is wrong with a configured table; its figures stand in for those above. */
export function faultsOf(given) {
  const faults = Object.keys(given).filter((key) => !(key in BITS)).map((key) => `prices.${key}: not known`);
  for (const [key, bits] of Object.entries(BITS)) {
    const value = given[key] ?? PRICES[key];
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** bits) faults.push(`prices.${key}: ${value} does not fit ${bits} bits`);
  }
  if ((given.fuelPerGas ?? PRICES.fuelPerGas) === 0) faults.push('prices.fuelPerGas: some fuel must be worth a gas');
  return faults;
}
