/** Pictures as vectors, with what they show. */
export interface LabelledFeatures {
  readonly count: number
  /** Length of a vector. */
  readonly inputs: number
  /** `[count, inputs]`, row-major */
  readonly values: Float32Array
  /** The class numbers of each picture: one, or where pictures have several labels any number. */
  readonly labels: readonly (readonly number[])[]
}

/** Some of the pictures, in that order. */
export function rowsOf(
  { inputs, values, labels }: LabelledFeatures,
  rows: readonly number[],
): LabelledFeatures {
  const taken = new Float32Array(rows.length * inputs)
  for (const [at, row] of rows.entries())
    taken.set(values.subarray(row * inputs, (row + 1) * inputs), at * inputs)
  return { count: rows.length, inputs, values: taken, labels: rows.map((row) => labels[row] ?? []) }
}

/** The mean and the standard deviation of each component. */
export interface Scale {
  readonly mean: Float64Array
  /** 1 where a component never changes. */
  readonly deviation: Float64Array
}

export function scaleOf({ count, inputs, values }: LabelledFeatures): Scale {
  const mean = new Float64Array(inputs)
  const squares = new Float64Array(inputs)
  for (let row = 0; row < count; row++) {
    for (let i = 0; i < inputs; i++)
      mean[i] = (mean[i] as number) + (values[row * inputs + i] as number) / count
  }
  for (let row = 0; row < count; row++) {
    for (let i = 0; i < inputs; i++) {
      squares[i] =
        (squares[i] as number) + ((values[row * inputs + i] as number) - (mean[i] as number)) ** 2 / count
    }
  }
  return { mean, deviation: squares.map((square) => (square > 0 ? Math.sqrt(square) : 1)) }
}

/** Each component with mean 0 and deviation 1, if the scale is the features' own. */
export function scaled(features: LabelledFeatures, { mean, deviation }: Scale): LabelledFeatures {
  const { inputs, values } = features
  const result = new Float32Array(values.length)
  for (let at = 0; at < values.length; at++) {
    const i = at % inputs
    result[at] = ((values[at] as number) - (mean[i] as number)) / (deviation[i] as number)
  }
  return { ...features, values: result }
}
