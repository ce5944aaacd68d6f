import { afterEach, expect, test } from 'vitest'
import { zeros } from '../../src/graph/initialiser.js'
import { parameter } from '../../src/graph/ops/index.js'
import { atScope, currentScope, scope, scopedName } from '../../src/graph/scope.js'

afterEach(() => {
  expect(currentScope(), 'every test leaves all scopes').toBe('')
})

test('scopes nest with dots and name parameters', () => {
  const weight = scope('blocks.3', () => scope('attn', () => scope(0, () => parameter('weight', [2], zeros))))
  expect(weight.leaf).toMatchObject({ kind: 'parameter', name: 'blocks.3.attn.0.weight' })
  expect(weight.scope).toBe('blocks.3.attn.0')
  expect(scopedName('cls_token')).toBe('cls_token')
})

test('a scope ends also when its content throws', () => {
  const broken = () =>
    scope('blocks.0', () =>
      scope('mlp', () => {
        throw new Error('no such width')
      }),
    )
  expect(broken).toThrow('no such width')
  expect(currentScope()).toBe('')
  expect(() => scope('outer', () => expect(broken).toThrow())).not.toThrow()
})

test('what is built later can go back into its scope and returns to the caller’s', () => {
  scope('head', () => {
    expect(atScope('blocks.11.attn', currentScope)).toBe('blocks.11.attn')
    expect(currentScope()).toBe('head')
  })
})
