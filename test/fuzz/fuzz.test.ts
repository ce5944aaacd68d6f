import { expect, test } from 'vitest'
import { runCase } from './run-case.js'
import { seedModelFolders } from './seed-files.js'
import { targets, useModel } from './targets.js'

// `npm run fuzz` runs 10,000 of any seed in a process of their own.
const seed = 2
const casesPerTarget = 15

test.each(seedModelFolders)('%s is sound before it is changed', async (folder) => {
  await expect(useModel(folder)).resolves.toBeUndefined()
})

test.each(targets.map(({ name }, index) => [name, index] as const))(
  'hostile %s is taken or refused with a BlvitError, and leaves nothing behind',
  async (_, index) => {
    for (let round = 0; round < casesPerTarget; round++) {
      const number = round * targets.length + index
      const { fault } = await runCase({ seed, number })
      expect(fault, `again: npm run fuzz -- --seed ${seed} --case ${number}`).toBeUndefined()
    }
  },
)
