// SPDX-License-Identifier: Apache-2.0
// The npm packages, behind one interface: for each suite, how a package sets up a sender and a
// recipient in HPKE's base mode from raw key bytes.

import * as hpkeCore from '@hpke/core'
import { XWing } from '@hpke/hybridkem-x-wing'
import * as noble from '@panva/hpke-noble'
import * as hpke from 'hpke'

/** Suite bytes of the envelope format. */
export const X_WING = 1
export const X25519 = 2

/** Name of a package, and what it does per suite. */
export const packages = {
  // WebCrypto offers no ML-KEM on Node 20, so on its own this package has only the second suite.
  hpke: {
    [X25519]: panva(hpke.KEM_DHKEM_X25519_HKDF_SHA256),
  },
  'hpke with @panva/hpke-noble': {
    [X_WING]: panva(noble.KEM_MLKEM768_X25519),
    [X25519]: panva(noble.KEM_DHKEM_X25519_HKDF_SHA256),
  },
  '@hpke/core with @hpke/hybridkem-x-wing': {
    [X_WING]: dajiaji(new XWing()),
    [X25519]: dajiaji(new hpkeCore.DhkemX25519HkdfSha256()),
  },
}

/** Every (name, suite, implementation). */
export function implementations() {
  return Object.entries(packages).flatMap(([name, suites]) =>
    Object.entries(suites).map(([suite, implementation]) => ({
      name,
      suite: Number(suite),
      ...implementation,
    })),
  )
}

function panva(kem) {
  const suite = new hpke.CipherSuite(kem, hpke.KDF_HKDF_SHA256, hpke.AEAD_AES_256_GCM)
  return {
    async sender(publicKey, info) {
      const key = await suite.DeserializePublicKey(publicKey)
      const { encapsulatedSecret, ctx } = await suite.SetupSender(key, { info })
      return {
        encapsulated: encapsulatedSecret,
        exportBytes: (context) => ctx.Export(context, 32),
        seal: (plaintext, aad) => ctx.Seal(plaintext, aad),
      }
    },
    async recipient(privateKey, encapsulated, info) {
      // Extractable, because decapsulation needs the public key too and finds it that way.
      const key = await suite.DeserializePrivateKey(privateKey, true)
      const ctx = await suite.SetupRecipient(key, encapsulated, { info })
      return {
        exportBytes: (context) => ctx.Export(context, 32),
        open: (ciphertext, aad) => ctx.Open(ciphertext, aad),
      }
    },
  }
}

function dajiaji(kem) {
  const suite = new hpkeCore.CipherSuite({
    kem,
    kdf: new hpkeCore.HkdfSha256(),
    aead: new hpkeCore.Aes256Gcm(),
  })
  // The package takes ArrayBuffers: a view's own bytes, not the buffer it may be a part of.
  const buffer = (bytes) => bytes.slice().buffer
  const bytes = async (promise) => new Uint8Array(await promise)
  return {
    async sender(publicKey, info) {
      const recipientPublicKey = await suite.kem.deserializePublicKey(buffer(publicKey))
      const sender = await suite.createSenderContext({ recipientPublicKey, info: buffer(info) })
      return {
        encapsulated: new Uint8Array(sender.enc),
        exportBytes: (context) => bytes(sender.export(buffer(context), 32)),
        seal: (plaintext, aad) => bytes(sender.seal(buffer(plaintext), buffer(aad))),
      }
    },
    async recipient(privateKey, encapsulated, info) {
      const recipientKey = await suite.kem.deserializePrivateKey(buffer(privateKey))
      const recipient = await suite.createRecipientContext({
        recipientKey,
        enc: buffer(encapsulated),
        info: buffer(info),
      })
      return {
        exportBytes: (context) => bytes(recipient.export(buffer(context), 32)),
        open: (ciphertext, aad) => bytes(recipient.open(buffer(ciphertext), buffer(aad))),
      }
    },
  }
}
