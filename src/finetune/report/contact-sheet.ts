import { BlvitError } from '../../base/blvit-error.js'
import type { DataSet } from '../../data/data-set.js'
import { inGrid, type Piece } from '../../drawing/draw-piece.js'
import type { Lettering } from '../../drawing/lettering.js'
import { nodeDecoder } from '../../image/node/decode.js'
import { encodePng } from '../../image/node/encode.js'
import type { Pixels } from '../../image/pixels.js'
import { type Preprocessing, resizeAndCrop } from '../../image/preprocessing.js'
import type { WrongPicture } from './report.js'

/** The surest mistakes; more make a file that nobody looks through. */
const mostPictures = 60
const columns = 10
const side = 112
const gap = 10
const size = 11
const lineHeight = 15
const colours = { name: '#777777', is: '#0072b2', said: '#d55e00' }

const thumbnail: Preprocessing = {
  ...{ height: side, width: side, cropRatio: 1, cropMode: 'center', filter: 'bicubic' },
  ...{ mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
}

function pieceOf(pixels: Pixels, wrong: WrongPicture, lettering: Lettering): Piece {
  const { picture, label, said, probability } = wrong
  const lines = [
    [picture.slice(picture.lastIndexOf('/') + 1), colours.name],
    [`is ${label}`, colours.is],
    [`${(100 * probability).toFixed(0)} % ${said}`, colours.said],
  ] as const
  const marks = lines.map(([text, colour], at) =>
    lettering.draw(
      lettering.fit(text, { size, width: side }),
      { x: 0, y: side + (at + 1) * lineHeight },
      { size, colour },
    ),
  )
  return {
    width: side,
    height: side + lines.length * lineHeight + 4,
    marks: marks.join(''),
    pictures: [{ pixels, left: 0, top: 0 }],
  }
}

/**
 * The pictures that were taken for something else, each with what it is and what was said of it.
 * @param mistakes at most 60 of them are shown, in their order
 * @returns the bytes of a PNG; undefined where there is nothing to show
 */
export async function contactSheet(
  dataSet: DataSet,
  mistakes: readonly WrongPicture[],
  { lettering, signal }: { readonly lettering: Lettering; readonly signal?: AbortSignal | undefined },
): Promise<Uint8Array | undefined> {
  const shown = mistakes.slice(0, mostPictures)
  const wanted = new Map(shown.map((mistake) => [mistake.picture, mistake]))
  const pieces = new Map<string, Piece>()
  for await (const item of dataSet.items({ signal })) {
    const mistake = 'source' in item ? wanted.get(item.name) : undefined
    if (!mistake || !('source' in item)) continue
    try {
      const pixels = await nodeDecoder.decode(item.source, { signal, atLeast: { height: side, width: side } })
      pieces.set(item.name, pieceOf(resizeAndCrop(pixels, thumbnail), mistake, lettering))
    } catch (thrown) {
      // it could be read before; if it is gone now, the sheet does without it
      if (!(thrown instanceof BlvitError) || thrown.code === 'ABORTED') throw thrown
    }
    if (pieces.size === wanted.size) break
  }
  const inOrder = shown.flatMap(({ picture }) => pieces.get(picture) ?? [])
  if (inOrder.length === 0) return undefined
  const grid = inGrid(inOrder, { columns: Math.min(columns, inOrder.length), gap })
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${grid.width + 2 * gap}" height="${grid.height + gap}"><g transform="translate(${gap} ${gap})">${grid.marks}</g></svg>`
  const pictures = grid.pictures.map(({ pixels, left, top }) => ({
    pixels,
    left: left + gap,
    top: top + gap,
  }))
  return encodePng({ width: grid.width + 2 * gap, height: grid.height + gap, svg, pictures })
}
