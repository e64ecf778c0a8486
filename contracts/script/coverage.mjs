// SPDX-License-Identifier: Apache-2.0
// Runs the tests with coverage, prints the branches covered of every file that ships, and fails if one is not
// covered that `excused` does not name, or if `excused` names one that is. COVERAGE.md says what the figures mean.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { forge } from './forge.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const report = join(root, 'out', 'coverage', 'lcov.info');

/** Suites left out, with reasons in COVERAGE.md. */
const without = 'Invariants|GasSweep';
/** What ships and runs on chains; guest/ runs in enclaves. */
const measured = /^src\/(?:oracle|registry|libraries|consumer|dcap)\/|^src\/\w+\.sol$/;

/** Branches that no run covers, each `{ file, line, way, why }`: the line as it reads, 0 or 1 for never or always taken. */
const excused = [
  ...[
    ['src/libraries/BatchHashes.sol', 'if gt(next, end) { break }', 'Batches: no_part_of_a_batch_is_one'],
    ['src/libraries/BatchHashes.sol', 'if and(word, 0x80000000) {', 'Batches: the_hash_of_sealed_logs_is_the_datas_last_word'],
    ['src/libraries/BatchHashes.sol', 'if lt(length, 0x20) { break }', 'Batches: the_hash_of_sealed_logs_is_the_datas_last_word'],
    ['src/libraries/BatchHashes.sol', 'if gt(outputLength, length) { break }', 'Batches: output_longer_than_the_data_reverts'],
    ['src/oracle/Fulfillments.sol', 'if gasLimit {', 'Callback: the_requester_gets_the_public_output'],
    ['src/oracle/SignedResults.sol', 'if iszero(gt(s, highest)) { signer := mload(0) }', 'Signature: the_malleable_twin_of_a_signature_is_refused'],
  ].map(([file, line, taken]) => ({ file, line, way: 0, why: `in assembly, where forge counts nothing; taken in ${taken}` })),
  {
    file: 'src/oracle/Fulfillments.sol',
    line: 'if (settlement.isLate()) {',
    way: 1,
    why: 'in time is what entries are that were topped up, cancelled or guarded by a threshold, in tests of each; forge maps the other way to another line',
  },
  {
    file: 'src/registry/Standing.sol',
    line: 'if (family.generation == slot.generation()) return;',
    way: 0,
    why: 'never the case, as whatever else makes `_isUntouched` false has reverted before',
  },
];

run();
const files = branches(readFileSync(report, 'utf8'));
const faults = judge(files);
const total = { hit: 0, of: 0 };
for (const { hit, of } of files.values()) {
  total.hit += hit;
  total.of += of;
}
console.table({
  ...Object.fromEntries([...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([file, { hit, of }]) => [file, { covered: hit, of }])),
  total: { covered: total.hit, of: total.of },
});
for (const fault of faults) console.error(fault);
process.exit(faults.length > 0 ? 1 : 0);

function run() {
  mkdirSync(dirname(report), { recursive: true });
  const args = ['coverage', '--ir-minimum', '--no-match-contract', without, '--report', 'lcov', '--report-file', report];
  const { status, stdout, error } = spawnSync(forge, args, {
    cwd: root,
    // Code that is not optimized takes more gas; and chance is not what covers branches.
    env: { ...process.env, FOUNDRY_PROFILE: 'coverage', FOUNDRY_GAS_LIMIT: '40000000000', FOUNDRY_FUZZ_RUNS: '64' },
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (error) throw error;
  // Some failures leave forge's exit code at zero.
  const failed = stdout.split('\n').filter((line) => /^Error|^\[FAIL/.test(line));
  if (status !== 0 || failed.length > 0) {
    console.error(failed.join('\n') || stdout.slice(-4000));
    process.exit(1);
  }
}

/** By file: how many branches are covered, of how many, and where the others are. */
function branches(lcov) {
  const files = new Map();
  let file;
  for (const line of lcov.split('\n')) {
    if (line.startsWith('SF:')) {
      const path = line.slice(3);
      file = measured.test(path) ? { path, hit: 0, of: 0, missing: [] } : undefined;
      if (file) files.set(path, file);
    }
    const branch = file && /^BRDA:(\d+),(\d+),(\d+),(\d+|-)$/.exec(line);
    if (!branch) continue;
    const [, number, , way, hits] = branch;
    file.of += 1;
    if (hits !== '0' && hits !== '-') file.hit += 1;
    else file.missing.push({ line: Number(number), way: Number(way) });
  }
  return files;
}

/** What is wrong, in words. */
function judge(files) {
  if (files.size === 0) return ['the report names no file of src/'];
  const used = new Set();
  const faults = [];
  for (const { path, missing } of files.values()) {
    const source = readFileSync(join(root, path), 'utf8').split('\n');
    for (const { line, way } of missing) {
      const text = source[line - 1].trim();
      const excuse = excused.find((each) => each.file === path && each.line === text && each.way === way);
      if (excuse) used.add(excuse);
      else faults.push(`${path}:${line}: ${way === 0 ? 'never taken' : 'always taken'}: ${text}`);
    }
  }
  for (const excuse of excused) {
    if (!used.has(excuse)) faults.push(`${excuse.file}: covered after all, or gone: ${excuse.line}`);
  }
  return faults;
}
