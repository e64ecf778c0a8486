// SPDX-License-Identifier: Apache-2.0
// Writes the init code of every contract here as <Name>.hex; `--check` fails if a file would change.
import { compileFixtures } from '../../../../contracts/script/compiler/fixtures.mjs'

compileFixtures({
  here: new URL('.', import.meta.url),
  names: ['Hostile', 'Prepayer', 'Recorder'],
})
