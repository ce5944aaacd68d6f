import { resolve as absolute, basename } from 'node:path'
import { sans } from '../../../drawing/node/sans.js'
import { encodePng } from '../../../image/node/encode.js'
import { drawTrace } from '../draw-trace.js'
import type { Trace } from '../traced-steps.js'

/** A folder's path is cut to its name; `owner/name` and shipped names stay. */
function shortName(model: string): string {
  return /^[\w-][^/\\]*(\/[^/\\]+)?$/.test(model) ? model : basename(absolute(model))
}

/** The way of a picture's tokens as a PNG for people. @param names as the user gave them */
export async function tracePng(trace: Trace, names: { model: string; picture: string }): Promise<Uint8Array> {
  const { model, picture } = names
  const lettering = await sans()
  return encodePng(drawTrace(trace, { model: shortName(model), picture: basename(picture), lettering }))
}
