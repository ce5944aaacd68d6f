import type { DataItem, DataSet } from '../../src/data/data-set.js'

/** All items, in short: name and label, or name and the error's message. */
export async function itemsOf(
  data: DataSet,
): Promise<[name: string, outcome: number | string | undefined][]> {
  const items: DataItem[] = []
  for await (const item of data.items()) items.push(item)
  return items.map((item) => [item.name, 'error' in item ? item.error.message : item.label])
}

/** Labels of a model for data sets without one. */
export const labels = ['tench, Tinca tinca', 'hen', 'crane', 'crane', 'tabby, tabby cat']
