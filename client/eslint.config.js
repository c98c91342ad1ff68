import js from '@eslint/js'
import globals from 'globals'

export default [
  { ignores: ['dist/', 'node_modules/', 'mobile/'] },
  js.configs.recommended,
  {
    files: ['src/**/*.js', 'vitest.setup.js'],
    languageOptions: { ecmaVersion: 2024, sourceType: 'module', globals: globals.browser },
    rules: {
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'no-implicit-globals': 'error',
      'no-restricted-globals': ['error', 'event', 'name', 'length'],
      'no-restricted-properties': ['error', { property: 'trustAsHtml', message: 'Render HTML through gh-safe-html.' }],
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-new-func': 'error',
      'no-console': 'error',
    },
  },
  { files: ['src/**/*.spec.js', 'vitest.setup.js'], languageOptions: { globals: globals.node } },
  { files: ['*.config.js'], languageOptions: { globals: globals.node } },
]
