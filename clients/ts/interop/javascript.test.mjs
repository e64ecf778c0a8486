// SPDX-License-Identifier: Apache-2.0
// Seals and opens across npm packages, and checks the committed file that Rust opens
// (fixtures/envelopes/js.json).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodePlaintext, epochKeys, openEnvelope, readFixture, sealEnvelope } from './format.mjs'
import { implementations } from './packages.mjs'

const vectors = readFixture('js.json')
const keys = await epochKeys(vectors.epoch)
const publicKeys = { 1: vectors.epoch.xWingPublicKey, 2: vectors.epoch.x25519PublicKey }

test('both suites are sealed by at least two packages', () => {
  for (const suite of [1, 2]) {
    const ofSuite = vectors.envelopes.filter((vector) => vector.suite === suite)
    assert.ok(new Set(ofSuite.map((vector) => vector.sealedWith)).size >= 2)
  }
})

test('every package opens what any package sealed', async () => {
  for (const implementation of implementations()) {
    for (const vector of vectors.envelopes.filter(({ suite }) => suite === implementation.suite)) {
      const opened = await openEnvelope(implementation, keys[vector.suite], vector.envelope, vector)
      assert.equal(opened, vector.plaintext, `${vector.name}, ${implementation.name}`)
      assert.equal(encodePlaintext(vector.content), vector.plaintext)
    }
  }
})

for (const implementation of implementations()) {
  const { name, suite } = implementation
  test(`${name} seals and opens suite ${suite}`, async () => {
    const vector = vectors.envelopes.find((vector) => vector.suite === suite)
    const envelope = await sealEnvelope(implementation, publicKeys[suite], vectors.epoch, vector)
    assert.notEqual(envelope, vector.envelope)
    const opened = await openEnvelope(implementation, keys[suite], envelope, vector)
    assert.equal(opened, vector.plaintext)
  })
}
