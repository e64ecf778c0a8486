// SPDX-License-Identifier: Apache-2.0
// Opens what `subrosa-crypto` sealed (fixtures/envelopes/rust.json) with npm packages.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesToHex, hexToBytes } from 'viem'
import {
  encodePlaintext,
  epochKeys,
  openEnvelope,
  openInSession,
  openReply,
  openSessionReply,
  parseEnvelope,
  publicKeyHash,
  readFixture,
  sealSessionReply,
  sessionSecret,
} from './format.mjs'
import { implementations } from './packages.mjs'

const vectors = readFixture('rust.json')
const keys = await epochKeys(vectors.epoch)

test('the epoch public key hash is that of SubrosaTypes.sol', () => {
  assert.equal(publicKeyHash(vectors.epoch), vectors.epoch.publicKeyHash)
})

test('plaintexts are the padded ABI encodings of their content', () => {
  for (const { name, content, plaintext } of vectors.envelopes) {
    assert.equal(encodePlaintext(content), plaintext, name)
  }
})

test('headers say what the vectors say', () => {
  for (const vector of vectors.envelopes) {
    const parts = parseEnvelope(vector.envelope)
    assert.equal(parts.version, 1)
    assert.equal(parts.mode, 0)
    assert.equal(parts.keyGroup, vectors.epoch.keyGroup)
    assert.equal(parts.keyEpoch, vectors.epoch.keyEpoch)
    for (const field of ['suite', 'purpose', 'id', 'expiry', 'recipients']) {
      assert.equal(parts[field], vector[field], `${vector.name}: ${field}`)
    }
  }
})

for (const implementation of implementations()) {
  const { name, suite } = implementation
  const ofSuite = (list) => list.filter((vector) => vector.suite === suite)

  test(`${name} opens envelopes of suite ${suite}`, async () => {
    assert.ok(ofSuite(vectors.envelopes).length >= 4)
    for (const vector of ofSuite(vectors.envelopes)) {
      const opened = await openEnvelope(implementation, keys[suite], vector.envelope, vector)
      assert.equal(opened, vector.plaintext, vector.name)
    }
  })

  test(`${name} refuses envelopes of suite ${suite} that were altered or bound elsewhere`, async () => {
    const [vector] = ofSuite(vectors.envelopes)
    const open = (envelope, binding) => openEnvelope(implementation, keys[suite], envelope, binding)
    const bytes = hexToBytes(vector.envelope)
    // One byte of each header field the key does not depend on, and the last of the tag.
    for (const index of [3, 7, 11, 35, 67, bytes.length - 1]) {
      const altered = bytes.slice()
      altered[index] ^= 1
      await assert.rejects(open(bytesToHex(altered), vector), `byte ${index}`)
    }
    // What the key schedule takes in is caught by the key commitment.
    for (const index of [12, 68, 100]) {
      const altered = bytes.slice()
      altered[index] ^= 1
      await assert.rejects(open(bytesToHex(altered), vector), /key commitment/, `byte ${index}`)
    }
    const zero = (hex) => `0x${'00'.repeat((hex.length - 2) / 2)}`
    for (const field of ['oracle', 'contractId', 'requester', 'context']) {
      await assert.rejects(open(vector.envelope, { ...vector, [field]: zero(vector[field]) }), field)
    }
    await assert.rejects(open(vector.envelope, { ...vector, chainId: 1 }))
  })

  test(`${name} shares the sessions that envelopes of suite ${suite} open`, async () => {
    const ofSessions = vectors.sessions.filter(({ opening }) => vectors.envelopes[opening].suite === suite)
    assert.equal(ofSessions.length, 2)
    for (const vector of ofSessions) {
      const opening = vectors.envelopes[vector.opening]
      const secret = await sessionSecret(implementation, keys[suite], opening.envelope)
      assert.equal(await openInSession(secret, opening, vector.envelope), vector.input, vector.name)
      await assert.rejects(openInSession(secret, { ...opening, requester: opening.oracle }, vector.envelope))
      const binding = { ...opening, digest: vector.digest }
      const open = (binding) => openSessionReply(secret, vector.session, binding, vector.reply)
      assert.equal(await open(binding), vector.output, vector.name)
      assert.equal(await sealSessionReply(secret, vector.session, suite, binding, vector.output), vector.reply)
      await assert.rejects(open({ ...binding, digest: opening.context }))
      await assert.rejects(open({ ...binding, chainId: 1 }))
      secret[0] ^= 1
      await assert.rejects(openInSession(secret, opening, vector.envelope), /key commitment/)
      await assert.rejects(open(binding))
    }
  })

  test(`${name} opens replies of suite ${suite}`, async () => {
    assert.ok(ofSuite(vectors.replies).length >= 3)
    for (const vector of ofSuite(vectors.replies)) {
      const key = hexToBytes(vector.recipientTestSeed)
      assert.equal(await openReply(implementation, key, vector.reply, vector), vector.output, vector.name)
      const subjectKind = 3 - vector.subjectKind
      await assert.rejects(openReply(implementation, key, vector.reply, { ...vector, subjectKind }))
    }
  })
}
