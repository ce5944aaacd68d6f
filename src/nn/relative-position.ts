import { times } from '../graph/dim.js'
import { zeros } from '../graph/initialiser.js'
import {
  concat,
  expand,
  gather,
  matmul,
  oneHot,
  parameter,
  pick,
  reshape,
  resizeBilinear,
  scaleShift,
  slice,
  transpose,
} from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import { forBatch } from './for-batch.js'
import { widthOf } from './linear.js'

/** The sides of the grid that tokens stand in, row by row. */
export interface GridSides {
  readonly rows: number
  readonly columns: number
}

/** A vector for each distance along rows and along columns, shared by the heads. */
export interface PositionTables {
  /** `[2·rows − 1, headWidth]` */
  readonly rows: Tensor
  /** `[2·columns − 1, headWidth]` */
  readonly columns: Tensor
}

/** How many distances there are along a side. */
function distances(side: number): number {
  return 2 * side - 1
}

/**
 * The learned tables of an attention layer, parameters `rel_pos_h` and `rel_pos_w` in the current scope.
 * @param stored the sides that they were learned for; default: those of the grid
 */
export function positionTables(headWidth: number, stored: GridSides): PositionTables {
  return {
    rows: parameter('rel_pos_h', [distances(stored.rows), headWidth], zeros),
    columns: parameter('rel_pos_w', [distances(stored.columns), headWidth], zeros),
  }
}

/**
 * The vector of each distance between a query and a key along one axis. A table of another length is resized along it, as
 * the code of SAM does (bilinear, pixels' centres at halves).
 * @param table `[distances, headWidth]` @returns `[queries, keys, headWidth]`
 */
export function vectorsOfDistances(
  table: Tensor,
  { queries, keys }: { queries: number; keys: number },
): Tensor {
  const [stored, headWidth] = [Number(sizeAt(table, 0)), widthOf(table)]
  const needed = distances(Math.max(queries, keys))
  const fitting =
    stored === needed
      ? table
      : reshape(
          resizeBilinear(reshape(table, [1, 1, stored, headWidth]), { height: needed, width: headWidth }),
          [needed, headWidth],
        )
  // distances are those of the longer side
  const [ofQuery, ofKey] = [Math.max(keys / queries, 1), Math.max(queries / keys, 1)]
  const numbers = Array.from({ length: queries * keys }, (_, at) => {
    const [query, key] = [Math.floor(at / keys), at % keys]
    return Math.trunc(query * ofQuery - key * ofKey + (keys - 1) * ofKey)
  })
  return reshape(pick(fitting, numbers, { axis: 0 }), [queries, keys, headWidth])
}

/**
 * Decomposed relative positions (Li et al. 2022, "MViTv2", in SAM's form) among all tokens of a grid: `q·Rh[y − y′]` for each row of keys and
 * `q·Rw[x − x′]` for each column, of unscaled queries. A key's score is given the two of its place.
 * @param queries `[batch, rows·columns, innerWidth]`, row by row
 * @returns `[batch, rows·columns, heads, rows + columns]`
 */
export function positionTerms(
  queries: Tensor,
  { heads, rows, columns, tables }: GridSides & { heads: number; tables: PositionTables },
): Tensor {
  return scope('rel_pos', () => {
    const [batch, headWidth] = [sizeAt(queries, 0), widthOf(queries) / heads]
    const split = reshape(queries, [batch, rows, columns, heads, headWidth])
    const vertical = vectorsOfDistances(tables.rows, { queries: rows, keys: rows })
    // [batch, rows, columns·heads, rows of keys]
    const byRow = matmul(reshape(split, [batch, rows, columns * heads, headWidth]), vertical, {
      transposeB: true,
    })
    const horizontal = vectorsOfDistances(tables.columns, { queries: columns, keys: columns })
    const turned = reshape(transpose(split, [0, 2, 1, 3, 4]), [batch, columns, rows * heads, headWidth])
    // [batch, columns, rows·heads, columns of keys]
    const byColumn = matmul(turned, horizontal, { transposeB: true })
    const back = transpose(reshape(byColumn, [batch, columns, rows, heads, columns]), [0, 2, 1, 3, 4])
    return concat(
      [
        reshape(byRow, [batch, rows * columns, heads, rows]),
        reshape(back, [batch, rows * columns, heads, columns]),
      ],
      { axis: 3 },
    )
  })
}

/**
 * A 1 for the row and a 1 for the column that each key stands in; what stands behind the last of them stands nowhere and has none.
 * @param places rows and columns of keys. int64 `[any, keys]` each @returns `[any, keys, rows + columns]`
 */
export function placeMarks(places: readonly [Tensor, Tensor], { rows, columns }: GridSides): Tensor {
  const marks = (of: Tensor, side: number) => slice(oneHot(of, { classes: side + 1 }), { axis: 2, end: side })
  return concat([marks(places[0], rows), marks(places[1], columns)], { axis: 2 })
}

/** Of the keys of a whole grid, row by row. @returns `[1, rows·columns, rows + columns]` */
export function gridMarks({ rows, columns }: GridSides): Tensor {
  const at = Array.from({ length: rows * columns }, (_, place) => place)
  const ofRows = forBatch(
    1,
    at.map((place) => Math.floor(place / columns)),
  )
  const ofColumns = forBatch(
    1,
    at.map((place) => place % columns),
  )
  return placeMarks([ofRows, ofColumns], { rows, columns })
}

/**
 * Queries and keys whose products are scores, relative positions included, at a scale of 1: terms and marks are further channels of
 * each head. So no engine has to hold a bias as large as the map, and add it.
 * @param parts `q [batch, queries, innerWidth]`, `k [batch, keys, innerWidth]`
 * @param places `terms`: `[batch, queries, heads, places]`; `marks`: `[1 or batch, keys, places]`
 */
export function placed(
  { q, k }: Readonly<Record<'q' | 'k', Tensor>>,
  { terms, marks, heads }: { terms: Tensor; marks: Tensor; heads: number },
): Readonly<Record<'q' | 'k', Tensor>> {
  const [headWidth, places] = [widthOf(q) / heads, widthOf(marks)]
  const [batch, keys, width] = [sizeAt(k, 0), sizeAt(k, 1), heads * (headWidth + places)]
  const split = (x: Tensor) => reshape(x, [batch, sizeAt(x, 1), heads, headWidth])
  const scaled = scaleShift(split(q), { scale: 1 / Math.sqrt(headWidth) })
  const ofHeads = expand(reshape(marks, [sizeAt(marks, 0), keys, 1, places]), [batch, keys, heads, places])
  const joined = (x: Tensor, more: Tensor) =>
    reshape(concat([x, more], { axis: 3 }), [batch, sizeAt(x, 1), width])
  return { q: joined(scaled, terms), k: joined(split(k), ofHeads) }
}

/**
 * The products of some queries with the vectors of their distances to each row or column of keys.
 * @param queries `[batch, queries, innerWidth]`
 * @param places the row or column that each stands in. int64 `[batch, queries]`
 * @param options `vectors`: of each place of a query. `[places, keys, headWidth]`
 * @returns `[batch, queries, heads, keys]`
 */
export function distanceTerms(
  queries: Tensor,
  places: Tensor,
  { vectors, heads }: { vectors: Tensor; heads: number },
): Tensor {
  const [batch, count, headWidth] = [sizeAt(queries, 0), sizeAt(queries, 1), widthOf(queries) / heads]
  const [known, keys] = [Number(sizeAt(vectors, 0)), Number(sizeAt(vectors, 1))]
  const rows = times(batch, count)
  const all = expand(reshape(vectors, [1, known, keys * headWidth]), [batch, known, keys * headWidth])
  const own = gather(all, places)
  const products = matmul(reshape(queries, [rows, heads, headWidth]), reshape(own, [rows, keys, headWidth]), {
    transposeB: true,
  })
  return reshape(products, [batch, count, heads, keys])
}
