"""``python -m core``: starts the command line."""

if __name__ == "__main__":
    try:
        from core.cli import main
    except KeyboardInterrupt:  # the imports take a second
        raise SystemExit(130) from None
    main()
