"""Money: purses, and the transfers between them.

Words: a *purse* holds money of one currency for one owner (a collective, by id); a *hold* is a purse set
aside for something (the escrow of a project, a payout under way); a *transfer* moves money between
purses and an *entry* is one line of it; a *deposit* is money on its way in, a *payout* on its way out.
Invariants, kept by the database itself: the entries of a transfer sum to zero per currency; entries and
transfers are never changed or deleted; a purse's balance is the sum of its entries and, but for the
outside world's, never below zero; a transfer's key is unique, so a repeated call moves nothing twice.
"""
