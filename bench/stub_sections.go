package main

func (b *bench) file() error        { return nil }
func (b *bench) redis() error       { return nil }
func (b *bench) definitions() error { return nil }
func (b *bench) backlog() error     { return nil }
