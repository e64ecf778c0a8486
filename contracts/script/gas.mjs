// SPDX-License-Identifier: Apache-2.0
// Measures the gas of mined transactions and writes snapshots/Gas.json; with `--check`, fails instead
// if a figure has moved. What is measured is artifacts/, so write those first. Fails in either case if a figure is
// above what it must not exceed. With `--explain`, says what each transaction spends its gas on instead.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { forge } from './forge.mjs';
import { start } from './gas/chain.mjs';
import { explain, measure } from './gas/scenarios.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const snapshot = join(root, 'snapshots', 'Gas.json');
const check = process.argv.includes('--check');

/** Gates. */
const musts = {
  request_32B: 46_000,
  request_32B_first: 62_000,
  request_1KB: 71_000,
  request_session_32B: 50_000,
  request_many16_each: 20_000,
  fulfill_single: 70_000,
  fulfill_batch16_same_each: 16_500,
  fulfill_batch16_distinct_each: 27_500,
  fulfill_threshold2_single: 82_000,
  erc7984_transfer: 190_000,
  erc7984_transfer_batch16_each: 140_000,
  register_signer_verifier: 74_000,
  register_signer_dcap_cached: 210_000,
  register_signer_dcap_cold: 1_050_000,
  register_signer_dcap_cold_large: 1_200_000,
};

/** What is worth reaching. */
const aims = {
  request_32B: 43_500,
  request_32B_first: 59_000,
  request_1KB: 68_000,
  request_session_32B: 47_000,
  request_many16_each: 16_000,
  fulfill_single: 67_000,
  fulfill_batch16_same_each: 15_000,
  fulfill_batch16_distinct_each: 26_000,
  fulfill_threshold2_single: 77_000,
  erc7984_transfer: 165_000,
  erc7984_transfer_batch16_each: 125_000,
  register_signer_verifier: 72_000,
  register_signer_dcap_cached: 199_000,
  register_signer_dcap_cold: 1_000_000,
  register_signer_dcap_cold_large: 1_180_000,
};

/** Block hashes and so signatures differ from run to run, and a zero byte more or less is 12 gas. */
const tolerance = 0.005;

const explaining = process.argv.includes('--explain');

build();
const chain = await start({ tracing: explaining });
let measured;
try {
  if (explaining) {
    const parts = await explain(chain, root);
    for (const [name, spent] of Object.entries(parts)) {
      // Of a batch, the whole of it: what it is bounded by is what of this nobody can leave out.
      console.log(aims[name] ? `${name} (aim ${aims[name]} each, must ${musts[name]})` : name);
      console.table(spent);
    }
  } else {
    measured = await measure(chain, root);
  }
} finally {
  await chain.stop();
}

if (explaining) process.exit();

console.table(Object.fromEntries(Object.entries(measured).map(([key, gas]) => [key, { gas, must: musts[key] ?? '', aim: aims[key] ?? '' }])));
const faults = Object.entries(musts)
  .filter(([key, must]) => measured[key] > must)
  .map(([key, must]) => `${key}: ${measured[key]} gas, must not exceed ${must}`);
if (check) {
  faults.push(...moved());
} else if (faults.length === 0) {
  mkdirSync(dirname(snapshot), { recursive: true });
  writeFileSync(snapshot, `${JSON.stringify(measured, null, 2)}\n`);
}
for (const fault of faults) console.error(fault);
process.exit(faults.length > 0 ? 1 : 0);

function moved() {
  const committed = JSON.parse(readFileSync(snapshot, 'utf8'));
  const keys = new Set([...Object.keys(committed), ...Object.keys(measured)]);
  return [...keys]
    .filter((key) => !(Math.abs(measured[key] - committed[key]) <= committed[key] * tolerance))
    .map((key) => `${key}: ${measured[key]} gas, snapshot says ${committed[key]}; run node script/gas.mjs`);
}

/** The consumer that is called back. Everything else is deployed from artifacts/. */
function build() {
  const out = join(root, 'out', 'gas');
  const args = ['build', 'test/gas', '--out', out, '--cache-path', join(out, 'cache')];
  const { status, error } = spawnSync(forge, args, {
    cwd: root,
    // As whoever calls often compiles: the oracle has to be small instead.
    env: { ...process.env, FOUNDRY_OPTIMIZER_RUNS: '1000000' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
