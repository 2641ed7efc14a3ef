package main

func (b *bench) backlog() error { return nil }
