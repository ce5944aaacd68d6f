import type { PlacedPixels } from '../image/node/encode.js'

/** A part of a drawing, placed with its top left corner at 0, 0. Sizes are whole pixels. */
export interface Piece {
  readonly width: number
  readonly height: number
  /** SVG elements. */
  readonly marks: string
  readonly pictures: readonly PlacedPixels[]
}

/** A piece at its place in a larger one. */
export interface PlacedPiece {
  readonly piece: Piece
  readonly left: number
  readonly top: number
}

/** One piece of several; it reaches as far as they do. */
export function assemble(parts: readonly PlacedPiece[]): Piece {
  return {
    width: Math.max(0, ...parts.map(({ piece, left }) => left + piece.width)),
    height: Math.max(0, ...parts.map(({ piece, top }) => top + piece.height)),
    marks: parts.map(({ piece, left, top }) => moved(piece.marks, left, top)).join(''),
    pictures: parts.flatMap(({ piece, left, top }) =>
      piece.pictures.map(({ pixels, ...at }) => ({ pixels, left: at.left + left, top: at.top + top })),
    ),
  }
}

function moved(marks: string, left: number, top: number): string {
  return marks === '' ? '' : `<g transform="translate(${left} ${top})">${marks}</g>`
}

/** Pieces in rows of equal cells, left to right, then down. */
export function inGrid(pieces: readonly Piece[], { columns, gap }: { columns: number; gap: number }): Piece {
  const width = Math.max(0, ...pieces.map((piece) => piece.width)) + gap
  const height = Math.max(0, ...pieces.map((piece) => piece.height)) + gap
  const placed = pieces.map((piece, i) => ({
    piece,
    left: (i % columns) * width,
    top: Math.floor(i / columns) * height,
  }))
  return assemble(placed)
}
