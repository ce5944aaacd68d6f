import type { PlacedPixels } from '../image/pixels.js'

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

/** Pieces one after the other, in as many rows as the width asks for. */
export function inRows(pieces: readonly Piece[], { width, gap }: { width: number; gap: number }): Piece {
  let [left, top, rowHeight] = [0, 0, 0]
  const placed = pieces.map((piece) => {
    if (left > 0 && left + piece.width > width) [left, top, rowHeight] = [0, top + rowHeight + gap / 2, 0]
    const at = { piece, left, top }
    left += piece.width + gap
    rowHeight = Math.max(rowHeight, piece.height)
    return at
  })
  return assemble(placed)
}
