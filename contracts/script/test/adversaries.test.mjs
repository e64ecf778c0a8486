// SPDX-License-Identifier: Apache-2.0
// The list of adversaries against the tests of them.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const read = (...path) => readFileSync(join(root, ...path), 'utf8');
const declared = (source) => [...source.matchAll(/function (test\w+)\(/g)].map(([, name]) => name);

/** Tests beside those of adversaries: that an adversary works at all, or a property that none of them needs. */
const others = [
  'test_the_alarm_and_the_swallowing_consumer_work_with_enough_gas',
  'test_the_oracle_takes_no_plain_ether',
];

/** By section: its file, and its rows of cells. */
const sections = read('ADVERSARIES.md')
  .split('\n## ')
  .slice(1)
  .map((section) => ({
    who: section.split('\n')[0],
    file: /In `(test\/[\w.]+)`/.exec(section)[1],
    rows: [...section.matchAll(/^\| (?!it )(.+) \|$/gm)].map(([, row]) => row.split(' | ')),
  }));

test('every adversary on the list has its test, and says what it gains and what others lose', () => {
  for (const { file, rows } of sections) {
    const tests = declared(read(file));
    for (const row of rows) {
      assert.equal(row.length, 4, row.join());
      assert.ok(row.every((cell) => cell.trim() !== ''), row.join());
      assert.ok(tests.includes(row[3].slice(1, -1)), `${file} has no ${row[3]}`);
    }
  }
});

test('every test of an adversary is on the list, once', () => {
  const listed = sections.flatMap(({ rows }) => rows.map((row) => row[3].slice(1, -1)));
  const files = readdirSync(join(root, 'test')).filter((name) => /^Adversarial\w+\.t\.sol$/.test(name));
  const all = files.flatMap((name) => declared(read('test', name)));
  assert.deepEqual([...listed, ...others].sort(), all.sort());
});

test('there are enough of each sort, and of all', () => {
  const count = (who) =>
    sections.filter((section) => section.who.startsWith(who)).reduce((sum, { rows }) => sum + rows.length, 0);
  for (const who of ['Consumers', 'Relayers', 'Owners', 'Guardians', 'Operators']) assert.ok(count(who) >= 5, who);
  assert.ok(count('') >= 25);
});
