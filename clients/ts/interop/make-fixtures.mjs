// SPDX-License-Identifier: Apache-2.0
// Writes fixtures/envelopes/js.json: what npm packages sealed, for `subrosa-crypto` to open.
// Sealing is randomized, so every run gives another, equally valid file.

import { webcrypto } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { bytesToHex } from 'viem'
import {
  encodePlaintext,
  epochKeys,
  fixture,
  readFixture,
  sealEnvelope,
  sealInSession,
  sealSessionReply,
  sessionSecret,
} from './format.mjs'
import { implementations } from './packages.mjs'

const random = (length) => bytesToHex(webcrypto.getRandomValues(new Uint8Array(length)))

// The same epoch as in the other direction, whose public keys Rust derived.
const { epoch, warning } = readFixture('rust.json')
const publicKeys = { 1: epoch.xWingPublicKey, 2: epoch.x25519PublicKey }
const purposes = { deploy: 1, call: 2, query: 3 }

const contents = () => [
  { kind: 'deploy', engine: 1, salt: random(32), code: random(500), init: random(64) },
  { kind: 'call', input: random(68), replyKey: '0x' },
  {
    kind: 'query',
    input: random(4),
    replyKey: `0x02${random(32).slice(2)}`,
    nonce: random(32),
    expiry: 2_000_000_000,
    caller: random(20),
    signature: random(65),
  },
]

const keys = await epochKeys(epoch)
const envelopes = []
const sessions = []
for (const { name, suite, ...implementation } of implementations()) {
  for (const content of contents()) {
    const vector = {
      name: `suite ${suite}, ${content.kind}`,
      sealedWith: name,
      suite,
      purpose: purposes[content.kind],
      id: random(16),
      expiry: 2_000_000_000,
      recipients: `0x${'00'.repeat(32)}`,
      chainId: 31337,
      oracle: random(20),
      contractId: random(32),
      requester: random(20),
      context: random(32),
      content,
      plaintext: encodePlaintext(content),
    }
    const envelope = await sealEnvelope(implementation, publicKeys[suite], epoch, vector)
    if (content.kind === 'call') {
      const secret = await sessionSecret(implementation, keys[suite], envelope)
      for (const length of [0, 36, 60, 61, 500]) {
        const member = {
          name: `suite ${suite}, ${length} bytes in a session`,
          opening: envelopes.length,
          session: sessions.length,
          id: random(16),
          expiry: vector.expiry,
          input: random(length),
          digest: random(32),
          output: random(length),
        }
        const binding = { ...vector, digest: member.digest }
        sessions.push({
          ...member,
          envelope: await sealInSession(secret, epoch, vector, member),
          reply: await sealSessionReply(secret, member.session, suite, binding, member.output),
        })
      }
    }
    envelopes.push({ ...vector, envelope })
  }
}
writeFileSync(fixture('js.json'), `${JSON.stringify({ warning, epoch, envelopes, replies: [], sessions }, null, 2)}\n`)
