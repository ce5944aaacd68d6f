import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

interface LockedPackage {
  readonly resolved?: string
  readonly hasInstallScript?: true
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const text = readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')
const { packages } = JSON.parse(text) as { packages: Readonly<Record<string, LockedPackage>> }

test('the lock file lists the builds for every system, or npm ci refuses it (scripts/complete-lock.mjs)', () => {
  const missing = Object.entries(packages).flatMap(([place, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !(`${place}/node_modules/${name}` in packages) && !(`node_modules/${name}` in packages),
    ),
  )
  expect(missing).toEqual([])
})

test('the lock file names no registry', () => {
  expect(Object.values(packages).flatMap(({ resolved = [] }) => resolved)).toEqual([])
})

test('no package runs a step of its own when it is installed, on npm 10 or 11', () => {
  expect(Object.keys(packages).filter((place) => packages[place]?.hasInstallScript)).toEqual([])
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { allowScripts } = JSON.parse(text) as { allowScripts: Readonly<Record<string, boolean>> }
  expect(allowScripts).toEqual({ 'onnxruntime-node': false, protobufjs: false })
})
