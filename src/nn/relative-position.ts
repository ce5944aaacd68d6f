import { times } from '../graph/dim.js'
import { zeros } from '../graph/initialiser.js'
import {
  add,
  expand,
  gather,
  matmul,
  parameter,
  pick,
  reshape,
  resizeBilinear,
  transpose,
} from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
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
 * Decomposed relative positions (Li et al. 2022, "MViTv2", in SAM's form) as a bias of attention among all tokens of a grid:
 * `q·Rh[y − y′] + q·Rw[x − x′]`, of unscaled queries.
 * @param queries `[batch, rows·columns, innerWidth]`, row by row
 * @returns `[batch, heads, rows·columns, rows·columns]`
 */
export function positionBias(
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
    const ofRows = transpose(reshape(byRow, [batch, rows, columns, heads, rows]), [0, 3, 1, 2, 4])
    const ofColumns = transpose(reshape(byColumn, [batch, columns, rows, heads, columns]), [0, 3, 2, 1, 4])
    const bias = add(
      reshape(ofRows, [batch, heads, rows, columns, rows, 1]),
      reshape(ofColumns, [batch, heads, rows, columns, 1, columns]),
    )
    return reshape(bias, [batch, heads, rows * columns, rows * columns])
  })
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
