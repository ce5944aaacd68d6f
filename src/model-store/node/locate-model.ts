import { existsSync } from 'node:fs'
import { BlvitError } from '../../base/blvit-error.js'
import { didYouMean } from '../../base/suggest.js'
import { findPreset } from '../../models/index.js'
import type { DownloadOptions } from '../../weights/node/hub/download-model.js'
import { shippedFolder, shippedModels } from './shipped-models.js'

/** Where a model's files lie and how they came there. */
export interface LocatedModel {
  /** What the user called it. */
  readonly name: string
  readonly folder: string
  readonly origin: 'shipped' | 'folder' | 'hub'
}

/**
 * Finds a model by what a user may call it: a shipped name, a folder, or an id of the Hugging Face hub
 * (`owner/name`, downloaded once).
 * @throws BlvitError `NOT_FOUND`, and what `downloadModel` throws
 */
export async function locateModel(reference: string, options: DownloadOptions = {}): Promise<LocatedModel> {
  const shipped = shippedModels()
  if (shipped.includes(reference)) {
    return { name: reference, folder: shippedFolder(reference), origin: 'shipped' }
  }
  if (existsSync(reference)) return { name: reference, folder: reference, origin: 'folder' }
  const looksLikePath = /^[./~]|\\/.test(reference)
  if (!looksLikePath && /^[^/]+\/[^/]+$/.test(reference)) {
    // The hub's client is large, and most models are here already.
    const { downloadModel } = await import('../../weights/node/hub/download-model.js')
    return { name: reference, folder: await downloadModel(reference, options), origin: 'hub' }
  }
  if (!looksLikePath && findPreset(reference)) {
    throw new BlvitError(
      'NOT_FOUND',
      `"${reference}" is a configuration without weights. Make a model of it with ` +
        `"blvit convert <ViT> --to ${reference} -o <folder>", or an untrained one with "blvit init ${reference} -o <folder>", ` +
        `or use ${shipped.join(', ')}.`,
    )
  }
  throw new BlvitError(
    'NOT_FOUND',
    `There is no model "${reference}".${didYouMean(reference, shipped)} ` +
      `Give a folder, a hub id (owner/name) or a shipped model: ${shipped.join(', ')}.`,
    { reference, shipped },
  )
}
